#include "diffusion/timestep_sampler.h"

#include "diffusion/linear_combination.h"
#include "diffusion/noise_schedule.h"
#include "diffusion/sampler_request.h"
#include "diffusion/timestep_spacing.h"

#include <algorithm>
#include <cmath>

namespace tessera {

Status check_uniform(const SamplerRequest& request, const char* name) {
    if (request.schedule != ScheduleKind::kAutomatic &&
        request.schedule != ScheduleKind::kUniform) {
        return fail(
            ErrorKind::kUnsupported,
            "{} steps along the training timesteps and has no schedule type but Automatic and "
            "Uniform",
            name
        );
    }
    return {};
}

Result<TimestepPlan> plan_timesteps(const SamplerRequest& request, const char* name) {
    TESSERA_TRY(check_uniform(request, name));
    TESSERA_TRY(check(request));
    TESSERA_ASSIGN(const auto schedule, NoiseSchedule::create(request.config));
    const auto spaced = spaced_timesteps(
        request.config,
        request.config.timestep_spacing.value_or(TimestepSpacing::kLeading),
        request.steps
    );
    TESSERA_TRY(check_trained(spaced.front(), request));
    TimestepPlan plan;
    for (const double timestep : spaced) {
        plan.timesteps.push_back(static_cast<int>(round_half_even(timestep)));
    }
    if (request.strength) {
        plan.first =
            static_cast<std::size_t>(skipped_steps_diffusers(request.steps, *request.strength));
    }
    plan.alphas = schedule.alphas_cumprod();
    return plan;
}

StartMix start_at(std::optional<double> alpha, const SamplerRequest& request) {
    if (!request.strength) {
        return {0.0, 1.0};
    }
    const double signal = alpha.value_or(1.0);
    return {std::sqrt(signal), std::sqrt(1.0 - signal)};
}

TimestepSampler::TimestepSampler(
    std::vector<ModelCall> calls, StartMix start, const SamplerRequest& request
)
    : Sampler(std::move(calls), start, {}), prediction_(request.config.prediction_type) {
    if (request.config.clip_sample) {
        clip_range_ = static_cast<float>(request.config.clip_sample_range);
    }
}

ModelCall TimestepSampler::call_at(int timestep, double alpha, std::size_t step) {
    return {static_cast<double>(timestep), 1.0, step, std::sqrt(alpha), std::sqrt(1.0 - alpha)};
}

Tensor TimestepSampler::predict_clean(double alpha, const Tensor& output, const Tensor& latents)
    const {
    const double signal = std::sqrt(alpha);
    const double spread = std::sqrt(1.0 - alpha);
    Tensor clean;
    switch (prediction_) {
        case PredictionType::kEpsilon:
            clean = linear_combination({{1.0 / signal, latents}, {-spread / signal, output}});
            break;
        case PredictionType::kVPrediction:
            clean = linear_combination({{signal, latents}, {-spread, output}});
            break;
        case PredictionType::kSample:
            clean = output;
            break;
    }
    if (clip_range_) {
        for (float& value : clean.values) {
            value = std::clamp(value, -*clip_range_, *clip_range_);
        }
    }
    return clean;
}

TimestepSampler::NoiseShares TimestepSampler::noise_shares(double alpha) const {
    const double signal = std::sqrt(alpha);
    const double spread = std::sqrt(1.0 - alpha);
    switch (prediction_) {
        case PredictionType::kEpsilon:
            return {0.0, 1.0};
        case PredictionType::kVPrediction:
            return {spread, signal};
        case PredictionType::kSample:
            break;
    }
    return {1.0 / spread, -signal / spread};
}

}  // namespace tessera
