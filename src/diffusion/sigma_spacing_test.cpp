#include "diffusion/sigma_spacing.h"

#include "diffusion/beta_quantile.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tessera {
namespace {

NoiseSchedule stable_diffusion() {
    SchedulerConfig config;
    config.beta_schedule = BetaSchedule::kScaledLinear;
    config.beta_start = 0.00085;
    config.beta_end = 0.012;
    return *NoiseSchedule::create(config);
}

void expect_near(const std::vector<double>& got, const std::vector<double>& want) {
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_NEAR(got[i], want[i], 1e-3 * want[i]) << i;
    }
}

TEST(BetaQuantile, KnowsTheUniformAndTheArcsineDistribution) {
    for (const double share : {0.0, 1e-6, 0.1, 0.25, 0.5, 0.75, 0.999, 1.0}) {
        EXPECT_NEAR(beta_quantile(share, 1.0), share, 1e-12);
        const double sine = std::sin(share * std::acos(-1.0) / 2.0);
        EXPECT_NEAR(beta_quantile(share, 0.5), sine * sine, 1e-12);
        // 3 x^2 - 2 x^3
        const double x = beta_quantile(share, 2.0);
        EXPECT_NEAR(x * x * (3.0 - 2.0 * x), share, 1e-12);
    }
}

TEST(SigmaSpacing, AlignYourStepsIsThePublishedTable) {
    const auto schedule = stable_diffusion();
    expect_near(
        *k_diffusion_sigmas(ScheduleKind::kAlignYourSteps, schedule, 11),
        {14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029, 0.0}
    );
    // Half way between two values, in log sigma.
    const auto finer = *k_diffusion_sigmas(ScheduleKind::kAlignYourSteps, schedule, 21);
    EXPECT_NEAR(finer[1], std::sqrt(14.615 * 6.475), 1e-9);
    EXPECT_EQ(k_diffusion_sigmas(ScheduleKind::kAlignYourSteps, schedule, 1)->size(), 2U);
}

TEST(SigmaSpacing, SimpleAndDdimTakeTrainedSigmas) {
    const auto schedule = stable_diffusion();
    const auto& trained = schedule.sigmas();
    expect_near(
        *k_diffusion_sigmas(ScheduleKind::kSimple, schedule, 4),
        {trained[999], trained[749], trained[499], trained[249], 0.0}
    );
    expect_near(
        *k_diffusion_sigmas(ScheduleKind::kDdim, schedule, 4),
        {trained[751], trained[501], trained[251], trained[1], 0.0}
    );
    // 999 timesteps hold eight strides of 142.
    EXPECT_EQ(k_diffusion_sigmas(ScheduleKind::kDdim, schedule, 7)->size(), 9U);
}

TEST(SigmaSpacing, SgmUniformIsUniformOfOneStepMoreWithoutTheCleanest) {
    const auto schedule = stable_diffusion();
    auto uniform = *k_diffusion_sigmas(ScheduleKind::kUniform, schedule, 8);
    uniform.erase(uniform.end() - 2);
    EXPECT_EQ(*k_diffusion_sigmas(ScheduleKind::kSgmUniform, schedule, 7), uniform);
}

TEST(SigmaSpacing, KlOptimalEndsAtTheSmallestTrainedSigma) {
    const auto schedule = stable_diffusion();
    const auto sigmas = *k_diffusion_sigmas(ScheduleKind::kKlOptimal, schedule, 2);
    const double largest = schedule.sigmas().back();
    const double smallest = schedule.sigmas().front();
    expect_near(
        sigmas, {largest, std::tan(0.5 * (std::atan(largest) + std::atan(smallest))), smallest}
    );
}

TEST(SigmaSpacing, BetaCrowdsTowardsBothEnds) {
    const auto schedule = stable_diffusion();
    const auto sigmas = *k_diffusion_sigmas(ScheduleKind::kBeta, schedule, 5);
    ASSERT_EQ(sigmas.size(), 6U);
    const double largest = schedule.sigmas().back();
    const double smallest = schedule.sigmas().front();
    EXPECT_EQ(sigmas[0], largest);
    EXPECT_NEAR(sigmas[2], 0.5 * (largest + smallest), 1e-9);
    EXPECT_EQ(sigmas[4], smallest);
    EXPECT_GT(sigmas[1] - sigmas[2], sigmas[0] - sigmas[1]);
}

}  // namespace
}  // namespace tessera
