#include "diffusion/scheduler_config.h"

#include "diffusion/noise_schedule.h"
#include "diffusion/timestep_spacing.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(SchedulerConfig, ReadsAPublishedFile) {
    const auto config = SchedulerConfig::parse(R"({
        "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012,
        "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000,
        "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1,
        "trained_betas": null, "clip_sample": false})");
    ASSERT_TRUE(config) << config.error().message;
    SchedulerConfig want;
    want.class_name = "PNDMScheduler";
    want.beta_schedule = BetaSchedule::kScaledLinear;
    want.beta_start = 0.00085;
    want.beta_end = 0.012;
    want.set_alpha_to_one = false;
    want.steps_offset = 1;
    EXPECT_EQ(*config, want);
}

TEST(SchedulerConfig, ReadsBackWhatItWrites) {
    SchedulerConfig config;
    config.class_name = "Something \"else\"";
    config.num_train_timesteps = 3;
    config.trained_betas = {0.1, 0.2, 1.0 / 3.0};
    config.prediction_type = PredictionType::kVPrediction;
    config.rescale_betas_zero_snr = true;
    config.timestep_spacing = TimestepSpacing::kTrailing;
    config.beta_schedule = BetaSchedule::kSquaredCosCapV2;
    config.steps_offset = 2;
    config.clip_sample = true;
    config.clip_sample_range = 1.5;
    config.solver_order = 3;
    config.set_alpha_to_one = false;
    config.use_beta_sigmas = true;
    config.lower_order_final = false;
    config.euler_at_final = true;
    config.predict_x0 = false;
    config.ends_at_sigma_min = true;
    config.variance_type = "fixed_large";
    config.skip_prk_steps = false;
    config.original_inference_steps = 2;
    config.timestep_scaling = 3.5;
    const auto read = SchedulerConfig::parse(config.to_json());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, config);
}

TEST(SchedulerConfig, TakesPythonsInfinityAsUnset) {
    EXPECT_TRUE(SchedulerConfig::parse(
        R"({"lambda_min_clipped": -Infinity, "_class_name": "to -Infinity \" NaN"})"
    ));
    EXPECT_EQ(
        SchedulerConfig::parse(R"({"_class_name": "to -Infinity"})")->class_name, "to -Infinity"
    );
}

struct Refusal {
    const char* json;
    ErrorKind kind;
    const char* named;
};

TEST(SchedulerConfig, NamesWhatItRefuses) {
    const std::vector<Refusal> refusals{
        {"", ErrorKind::kCorrupt, ""},
        {"[]", ErrorKind::kCorrupt, ""},
        {R"({"beta_end": "much"})", ErrorKind::kCorrupt, "beta_end"},
        {R"({"num_train_timesteps": 1000.5})", ErrorKind::kCorrupt, "num_train_timesteps"},
        {R"({"trained_betas": [0.1, "x"]})", ErrorKind::kCorrupt, "trained_betas"},
        {R"({"clip_sample": 1})", ErrorKind::kCorrupt, "clip_sample"},
        {R"({"beta_end": 1.0})", ErrorKind::kInvalidArgument, "beta_end"},
        {R"({"beta_start": 0})", ErrorKind::kInvalidArgument, "beta_start"},
        {R"({"num_train_timesteps": 0})", ErrorKind::kInvalidArgument, "num_train_timesteps"},
        {R"({"num_train_timesteps": 1000000000})",
         ErrorKind::kInvalidArgument,
         "num_train_timesteps"},
        {R"({"num_train_timesteps": 18446744073709551615})",
         ErrorKind::kInvalidArgument,
         "num_train_timesteps"},
        {R"({"trained_betas": [0.1, 0.2], "num_train_timesteps": 3})",
         ErrorKind::kInvalidArgument,
         "trained_betas"},
        {R"({"steps_offset": -1})", ErrorKind::kInvalidArgument, "steps_offset"},
        {R"({"steps_offset": 1000})", ErrorKind::kInvalidArgument, "steps_offset"},
        {R"({"clip_sample_range": 0})", ErrorKind::kInvalidArgument, "clip_sample_range"},
        {R"({"rescale_betas_zero_snr": true})",
         ErrorKind::kInvalidArgument,
         "rescale_betas_zero_snr"},
        {R"({"original_inference_steps": 0})",
         ErrorKind::kInvalidArgument,
         "original_inference_steps"},
        {R"({"timestep_scaling": 1e300})", ErrorKind::kInvalidArgument, "timestep_scaling"},
        {R"({"timestep_scaling": 0})", ErrorKind::kInvalidArgument, "timestep_scaling"},
        {R"({"use_karras_sigmas": true, "use_beta_sigmas": true})",
         ErrorKind::kInvalidArgument,
         "use_beta_sigmas"},
        {R"({"prediction_type": "flow"})", ErrorKind::kUnsupported, "prediction_type"},
        {R"({"beta_schedule": "sigmoid"})", ErrorKind::kUnsupported, "beta_schedule"},
        {R"({"timestep_spacing": "odd"})", ErrorKind::kUnsupported, "timestep_spacing"},
        {R"({"thresholding": true})", ErrorKind::kUnsupported, "thresholding"},
        {R"({"use_lu_lambdas": true})", ErrorKind::kUnsupported, "use_lu_lambdas"},
        {R"({"disable_corrector": [0]})", ErrorKind::kUnsupported, "disable_corrector"},
        {R"({"final_sigmas_type": "max"})", ErrorKind::kUnsupported, "final_sigmas_type"},
        {R"({"lambda_min_clipped": -5.1})", ErrorKind::kUnsupported, "lambda_min_clipped"},
    };
    const auto long_name =
        SchedulerConfig::parse(R"({"variance_type": ")" + std::string(1000, 'x') + R"("})");
    ASSERT_FALSE(long_name);
    EXPECT_LT(long_name.error().message.size(), 100U);
    for (const Refusal& refusal : refusals) {
        const auto config = SchedulerConfig::parse(refusal.json);
        ASSERT_FALSE(config) << refusal.json;
        EXPECT_EQ(config.error().kind, refusal.kind) << refusal.json;
        EXPECT_NE(config.error().message.find(refusal.named), std::string::npos)
            << config.error().message;
    }
}

TEST(TimestepSpacing, LinspaceBeginsAtTheLastTimestepForAnyNumberOfSteps) {
    const SchedulerConfig config;
    for (int steps = 2; steps <= config.num_train_timesteps; ++steps) {
        const auto timesteps = spaced_timesteps(config, TimestepSpacing::kLinspace, steps);
        ASSERT_EQ(timesteps.front(), 999.0) << steps;
        ASSERT_EQ(timesteps.back(), 0.0) << steps;
    }
}

TEST(NoiseSchedule, CosineScheduleFallsToItsCap) {
    SchedulerConfig config;
    config.beta_schedule = BetaSchedule::kSquaredCosCapV2;
    const auto schedule = NoiseSchedule::create(config);
    ASSERT_TRUE(schedule) << schedule.error().message;
    // cos^2((t + 0.008) / 1.008 * pi / 2), relative to its value at 0, half way through.
    EXPECT_NEAR(schedule->alphas_cumprod()[499], 0.4938F, 1e-3F);
    EXPECT_LT(schedule->alphas_cumprod().back(), 1e-6F);
}

TEST(NoiseSchedule, TimestepOfInvertsSigma) {
    const auto schedule = NoiseSchedule::create(SchedulerConfig{});
    ASSERT_TRUE(schedule);
    for (const double timestep : {0.0, 0.25, 1.0, 499.5, 998.75, 999.0}) {
        EXPECT_NEAR(schedule->timestep_of(schedule->sigma_log_linear(timestep)), timestep, 1e-6);
    }
    EXPECT_EQ(schedule->timestep_of(1e-9), 0.0);
    EXPECT_EQ(schedule->timestep_of(1e9), 999.0);
}

TEST(NoiseSchedule, RefusesBetasThatLeaveNoSignalOrNoNoise) {
    SchedulerConfig config;
    config.beta_start = 0.5;
    config.beta_end = 0.9;
    EXPECT_EQ(NoiseSchedule::create(config).error().kind, ErrorKind::kInvalidArgument);
    config.beta_start = 1e-12;
    config.beta_end = 1e-11;
    EXPECT_EQ(NoiseSchedule::create(config).error().kind, ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace tessera
