#include "diffusion/analytic_denoiser_test.h"
#include "diffusion/denoise_loop.h"
#include "diffusion/sampler_registry.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace tessera {
namespace {

constexpr std::array kPredictions{
    PredictionType::kEpsilon, PredictionType::kVPrediction, PredictionType::kSample};

SchedulerConfig stable_diffusion() {
    SchedulerConfig config;
    config.beta_schedule = BetaSchedule::kScaledLinear;
    config.beta_start = 0.00085;
    config.beta_end = 0.012;
    return config;
}

DenoiseRequest request_for(std::string_view sampler, int steps, Shape shape = {1, 2, 3}) {
    DenoiseRequest request;
    request.sampler = sampler;
    request.plan.config = stable_diffusion();
    request.plan.steps = steps;
    request.noise.seeds = {{7}};
    request.latent_shape = std::move(shape);
    return request;
}

DenoiseRequest from_picture(DenoiseRequest request, double strength, float value = 0.5F) {
    Shape shape{static_cast<std::int64_t>(request.noise.seeds.size())};
    shape.insert(shape.end(), request.latent_shape.begin(), request.latent_shape.end());
    request.init = Tensor(shape, std::vector<float>(element_count(shape), value));
    request.plan.strength = strength;
    return request;
}

DenoiseLoop started(DenoiseRequest request) {
    auto loop = DenoiseLoop::start(std::move(request));
    if (!loop) {
        throw std::runtime_error(loop.error().message);
    }
    return *std::move(loop);
}

Tensor result_of(DenoiseLoop loop, Denoiser& denoiser) {
    while (!loop.done()) {
        const auto status = loop.advance(denoiser, {});
        if (!status) {
            throw std::runtime_error(status.error().message);
        }
    }
    return loop.latents();
}

Tensor analytic_result(DenoiseRequest request) {
    AnalyticDenoiser denoiser;
    return result_of(started(std::move(request)), denoiser);
}

/// Every schedule type that the sampler takes.
std::vector<ScheduleKind> schedules_of(const SamplerInfo& sampler) {
    std::vector<ScheduleKind> kinds;
    for (const ScheduleKind schedule : known_schedules()) {
        SamplerRequest request;
        request.config = stable_diffusion();
        request.schedule = schedule;
        const auto made = make_sampler(sampler.name, request);
        if (made) {
            kinds.push_back(request.schedule);
        } else if (made.error().kind != ErrorKind::kUnsupported) {
            throw std::runtime_error(made.error().message);
        }
    }
    return kinds;
}

/// Calls visit(sampler, request) for every sampler, prediction and schedule type that go together.
template <class Visit>
void each_combination(int steps, Visit visit) {
    for (const SamplerInfo& sampler : known_samplers()) {
        for (const ScheduleKind schedule : schedules_of(sampler)) {
            for (const PredictionType prediction : kPredictions) {
                auto request = request_for(sampler.name, steps);
                request.plan.schedule = schedule;
                request.plan.config.prediction_type = prediction;
                visit(sampler, request);
            }
        }
    }
}

std::string described(const DenoiseRequest& request) {
    return fmt::format(
        "{} {} prediction {} steps {} strength {}",
        request.sampler,
        to_string(request.plan.schedule),
        static_cast<int>(request.plan.config.prediction_type),
        request.plan.steps,
        request.plan.strength.value_or(-1.0)
    );
}

TEST(SamplerProperties, KDiffusionSamplersTakeEverySchedule) {
    for (const SamplerInfo& sampler : known_samplers()) {
        if (sampler.convention == SamplerConvention::kKDiffusion) {
            EXPECT_EQ(schedules_of(sampler).size(), 10U) << sampler.name;
        }
    }
}

TEST(SamplerProperties, EveryCombinationGivesFiniteLatents) {
    for (const int steps : {1, 2, 3, 7, 20}) {
        each_combination(steps, [](const SamplerInfo&, const DenoiseRequest& request) {
            // The loop itself fails on a value that is not finite.
            EXPECT_NO_THROW(static_cast<void>(analytic_result(request))) << described(request);
            for (const double strength : {0.3, 1.0}) {
                const auto image = from_picture(request, strength);
                EXPECT_NO_THROW(static_cast<void>(analytic_result(image))) << described(image);
            }
        });
    }
}

TEST(SamplerProperties, ZeroTerminalSnrAndCosineBetasGiveFiniteLatents) {
    for (const SamplerInfo& sampler : known_samplers()) {
        for (const auto spacing :
             {TimestepSpacing::kLeading, TimestepSpacing::kLinspace, TimestepSpacing::kTrailing}) {
            for (const bool cosine : {false, true}) {
                auto request = request_for(sampler.name, 7);
                request.plan.config.timestep_spacing = spacing;
                request.plan.config.prediction_type = PredictionType::kVPrediction;
                request.plan.config.rescale_betas_zero_snr = !cosine;
                if (cosine) {
                    request.plan.config.beta_schedule = BetaSchedule::kSquaredCosCapV2;
                }
                EXPECT_NO_THROW(static_cast<void>(analytic_result(request))) << described(request);
                request.plan.config.prediction_type = PredictionType::kSample;
                EXPECT_NO_THROW(static_cast<void>(analytic_result(request))) << described(request);
            }
        }
    }
}

TEST(SamplerProperties, EveryCombinationIsTheSameInABatchAndAfterEveryResume) {
    each_combination(5, [](const SamplerInfo& sampler, DenoiseRequest request) {
        if (sampler.takes.eta) {
            request.plan.eta = 0.6;
        }
        const Tensor alone = analytic_result(request);
        auto both = request;
        both.noise.seeds = {{3}, {7}};
        const Tensor batch = analytic_result(both);
        EXPECT_TRUE(std::equal(alone.values.rbegin(), alone.values.rend(), batch.values.rbegin()))
            << described(request);

        AnalyticDenoiser denoiser;
        DenoiseLoop loop = started(request);
        while (!loop.done()) {
            auto resumed = DenoiseLoop::resume(loop.save());
            ASSERT_TRUE(resumed) << described(request) << resumed.error().message;
            loop = *std::move(resumed);
            ASSERT_TRUE(loop.advance(denoiser, {})) << described(request);
        }
        EXPECT_EQ(loop.latents(), alone) << described(request);
    });
}

/// Answers as a network would that knows the clean latents exactly, from what the call says of its
/// input.
class Clairvoyant final : public Denoiser {
  public:
    Clairvoyant(PredictionType prediction, float clean) : prediction_(prediction), clean_(clean) {}

    Result<Tensor> denoise(const Tensor& input, const ModelCall& call, std::stop_token) override {
        Tensor output(input.shape);
        for (std::size_t i = 0; i < input.values.size(); ++i) {
            const double clean = static_cast<double>(clean_);
            const double noise =
                (static_cast<double>(input.values[i]) - call.signal * clean) / call.noise;
            const double wanted = prediction_ == PredictionType::kEpsilon ? noise
                                  : prediction_ == PredictionType::kVPrediction
                                      ? call.signal * noise - call.noise * clean
                                      : clean;
            output.values[i] = static_cast<float>(wanted);
        }
        return output;
    }

  private:
    PredictionType prediction_;
    float clean_;
};

TEST(SamplerProperties, ANetworkThatKnowsTheCleanLatentsGetsThem) {
    constexpr float kClean = 0.7F;
    each_combination(9, [](const SamplerInfo& sampler, DenoiseRequest request) {
        // PNDM averages what the network says, which is the noise only with epsilon.
        if (sampler.name == "PLMS" &&
            request.plan.config.prediction_type == PredictionType::kVPrediction) {
            return;
        }
        request.plan.config.set_alpha_to_one = true;
        Clairvoyant denoiser(request.plan.config.prediction_type, kClean);
        auto image = from_picture(request, 0.7, kClean);
        // diffusers' PNDM tells the network another timestep than the latents have there.
        for (const auto& either :
             sampler.name == "PLMS" ? std::vector{request} : std::vector{request, image}) {
            DenoiseLoop loop = started(either);
            const auto& sigmas = loop.sampler().sigmas();
            // Four times the noise that the schedule leaves.
            const double allowed = 1e-3 + (sigmas.empty() ? 0.0 : 4.0 * sigmas.back());
            for (const float value : result_of(std::move(loop), denoiser).values) {
                EXPECT_NEAR(value, kClean, allowed) << described(either);
            }
        }
    });
}

/// The best network for clean latents of independent Gaussian values with this deviation.
class GaussianDenoiser final : public Denoiser {
  public:
    static constexpr double kDeviation = 0.8;

    Result<Tensor> denoise(const Tensor& input, const ModelCall& call, std::stop_token) override {
        constexpr double kVariance = kDeviation * kDeviation;
        const double all = call.signal * call.signal * kVariance + call.noise * call.noise;
        Tensor output(input.shape);
        std::transform(
            input.values.begin(),
            input.values.end(),
            output.values.begin(),
            [&](float value) { return static_cast<float>(value * call.noise / all); }
        );
        return output;
    }
};

/// By how much a sampler misses the way of the probability flow, which for Gaussian latents is
/// known.
double flow_error(DenoiseRequest request) {
    constexpr double kVariance = GaussianDenoiser::kDeviation * GaussianDenoiser::kDeviation;
    DenoiseLoop loop = started(std::move(request));
    const ModelCall first = loop.sampler().calls().front();
    const double scale = first.input_scale / first.signal;
    const double from = first.noise / first.signal;
    const double to = loop.sampler().sigmas().back();
    const bool is_preserving = first.input_scale == 1.0;
    const double factor = scale * std::sqrt((kVariance + to * to) / (kVariance + from * from)) /
                          (is_preserving ? std::sqrt(to * to + 1.0) : 1.0);
    const double start = loop.latents().values.front();
    GaussianDenoiser denoiser;
    const double end = result_of(std::move(loop), denoiser).values.front();
    return std::abs(end / start / factor - 1.0);
}

TEST(SamplerProperties, SamplersOfHigherOrderConvergeFaster) {
    const auto gain = [](DenoiseRequest request) {
        const double coarse = flow_error(request);
        request.plan.steps *= 2;
        return coarse / flow_error(request);
    };
    for (const SamplerInfo& sampler : known_samplers()) {
        const bool is_stochastic = sampler.takes.s_noise;
        if (sampler.convention != SamplerConvention::kKDiffusion) {
            continue;
        }
        auto request = request_for(sampler.name, 40);
        request.plan.schedule = ScheduleKind::kKlOptimal;
        if (is_stochastic) {
            request.plan.eta = 0.0;
        }
        const bool is_first_order = sampler.name == "Euler" || sampler.name == "Euler a";
        EXPECT_GT(gain(request), is_first_order ? 1.8 : 3.2) << sampler.name;
    }
    for (const char* algorithm : {"dpmsolver++", "dpmsolver"}) {
        for (const char* solver : {"midpoint", "heun"}) {
            for (const int order : {1, 2, 3}) {
                auto request = request_for("DPMSolverMultistepScheduler Exponential", 40);
                request.plan.config.algorithm_type = algorithm;
                request.plan.config.solver_type = solver;
                request.plan.config.solver_order = order;
                request.plan.config.ends_at_sigma_min = true;
                EXPECT_GT(gain(request), order == 1 ? 1.8 : 3.2)
                    << algorithm << " " << solver << " " << order;
            }
        }
    }
    for (const char* solver : {"bh1", "bh2"}) {
        for (const int order : {1, 2, 3}) {
            auto request = request_for("UniPCMultistepScheduler Exponential", 40);
            request.plan.config.solver_type = solver;
            request.plan.config.solver_order = order;
            request.plan.config.ends_at_sigma_min = true;
            EXPECT_GT(gain(request), 3.2) << solver << " " << order;
        }
    }
}

double deviation(const Tensor& tensor) {
    double squares = 0.0;
    for (const float value : tensor.values) {
        squares += static_cast<double>(value) * static_cast<double>(value);
    }
    return std::sqrt(squares / static_cast<double>(tensor.values.size()));
}

TEST(SamplerProperties, StochasticSamplersGiveTheRightDistribution) {
    std::vector<DenoiseRequest> requests;
    for (const SamplerInfo& sampler : known_samplers()) {
        if (sampler.takes.eta || sampler.takes.s_noise || sampler.name == "DDPM" ||
            sampler.name == "KDPM2AncestralDiscreteScheduler" ||
            sampler.name == "EulerAncestralDiscreteScheduler") {
            requests.push_back(request_for(sampler.name, 100, {4, 32, 32}));
            if (sampler.takes.eta) {
                requests.back().plan.eta = 1.0;
            }
        }
    }
    for (const char* solver : {"midpoint", "heun"}) {
        for (const char* algorithm : {"sde-dpmsolver++", "sde-dpmsolver"}) {
            requests.push_back(request_for("DPMSolverMultistepScheduler Karras", 100, {4, 32, 32}));
            requests.back().plan.config.algorithm_type = algorithm;
            requests.back().plan.config.solver_type = solver;
            requests.back().plan.config.ends_at_sigma_min = true;
        }
    }
    GaussianDenoiser denoiser;
    for (const auto& request : requests) {
        EXPECT_NEAR(
            deviation(result_of(started(request), denoiser)), GaussianDenoiser::kDeviation, 0.05
        ) << described(request)
          << " " << request.plan.config.algorithm_type;
    }
}

TEST(SamplerProperties, EtaAndSNoiseWorkOrAreRefused) {
    for (const SamplerInfo& sampler : known_samplers()) {
        const auto request = request_for(sampler.name, 6);
        const Tensor plain = analytic_result(request);
        auto with_eta = request;
        with_eta.plan.eta = 0.5;
        auto with_s_noise = request;
        with_s_noise.plan.s_noise = 1.1;
        const std::array tries{
            std::pair{with_eta, sampler.takes.eta}, std::pair{with_s_noise, sampler.takes.s_noise}};
        for (const auto& [changed, is_taken] : tries) {
            const auto loop = DenoiseLoop::start(changed);
            ASSERT_EQ(loop.has_value(), is_taken) << sampler.name;
            if (is_taken) {
                EXPECT_NE(analytic_result(changed), plain) << sampler.name;
            } else {
                EXPECT_EQ(loop.error().kind, ErrorKind::kUnsupported) << sampler.name;
                EXPECT_NE(loop.error().message.find(sampler.name), std::string::npos);
            }
        }
    }
}

TEST(SamplerProperties, EtaZeroDrawsNothingThatShows) {
    for (const SamplerInfo& sampler : known_samplers()) {
        if (!sampler.takes.eta || !sampler.takes.s_noise) {
            continue;
        }
        auto request = request_for(sampler.name, 6);
        request.plan.eta = 0.0;
        const Tensor plain = analytic_result(request);
        request.plan.s_noise = 2.0;
        EXPECT_EQ(analytic_result(request), plain) << sampler.name;
    }
}

}  // namespace
}  // namespace tessera
