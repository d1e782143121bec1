#include "diffusion/sigma_plan.h"

#include "diffusion/noise_schedule.h"
#include "diffusion/sampler_request.h"
#include "diffusion/timestep_spacing.h"

#include <algorithm>
#include <cmath>

namespace tessera {

namespace {

double variance_scale(double sigma) {
    return 1.0 / std::sqrt(sigma * sigma + 1.0);
}

/// numpy.linspace(from, to, steps).
template <class Shape>
std::vector<double> ramp(double from, double to, int steps, Shape shape) {
    std::vector<double> values;
    for (int i = 0; i < steps; ++i) {
        const double position = steps > 1 ? static_cast<double>(i) / (steps - 1) : 0.0;
        values.push_back(shape(from + position * (to - from)));
    }
    return values;
}

std::vector<double> karras_sigmas(double sigma_max, double sigma_min, int steps) {
    constexpr double kRho = 7.0;
    return ramp(
        std::pow(sigma_max, 1.0 / kRho),
        std::pow(sigma_min, 1.0 / kRho),
        steps,
        [](double root) { return std::pow(root, kRho); }
    );
}

std::vector<double> exponential_sigmas(double sigma_max, double sigma_min, int steps) {
    return ramp(std::log(sigma_max), std::log(sigma_min), steps, [](double log_sigma) {
        return std::exp(log_sigma);
    });
}

std::vector<double> timesteps_of(const NoiseSchedule& schedule, const std::vector<double>& sigmas) {
    std::vector<double> timesteps;
    timesteps.reserve(sigmas.size());
    for (const double sigma : sigmas) {
        timesteps.push_back(schedule.timestep_of(sigma));
    }
    return timesteps;
}

std::vector<double> sigmas_of(const NoiseSchedule& schedule, const std::vector<double>& timesteps) {
    std::vector<double> sigmas;
    sigmas.reserve(timesteps.size());
    for (const double timestep : timesteps) {
        sigmas.push_back(schedule.sigma_linear(timestep));
    }
    return sigmas;
}

/// Falling sigmas are what every sampler divides by.
Status check_falling(const SigmaPlan& plan) {
    const auto rise = std::adjacent_find(
        plan.sigmas.begin(), plan.sigmas.end(), [](double a, double b) { return !(a > b); }
    );
    if (rise != plan.sigmas.end()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} steps are too many for this sampler: two of them would have the same noise level; "
            "ask for fewer",
            plan.timesteps.size()
        );
    }
    return {};
}

/// Ends the sigmas, and for image-to-image moves the start to where `skipped_steps` says.
Result<SigmaPlan> finish(
    SigmaPlan plan, const SamplerRequest& request, int (*skipped_steps)(int, double)
) {
    plan.prediction = request.config.prediction_type;
    plan.sigmas.push_back(0.0);
    TESSERA_TRY(check_falling(plan));
    if (request.strength) {
        plan.first = static_cast<std::size_t>(skipped_steps(request.steps, *request.strength));
        const double sigma = plan.sigmas[plan.first];
        const double scale =
            plan.space == LatentSpace::kVariancePreserving ? variance_scale(sigma) : 1.0;
        plan.start = {scale, scale * sigma};
    }
    return plan;
}

Result<bool> wants_karras(const SamplerRequest& request) {
    switch (request.schedule) {
        case ScheduleKind::kAutomatic:
            return request.config.use_karras_sigmas;
        case ScheduleKind::kUniform:
            return false;
        case ScheduleKind::kKarras:
            return true;
        case ScheduleKind::kExponential:
            break;
    }
    return fail(
        ErrorKind::kUnsupported,
        "this sampler has no exponential schedule; use automatic, uniform or Karras"
    );
}

}  // namespace

Result<SigmaPlan> plan_k_diffusion(const SamplerRequest& request) {
    TESSERA_TRY(check(request));
    TESSERA_ASSIGN(const auto schedule, NoiseSchedule::create(request.config));
    const double sigma_max = schedule.sigmas().back();
    const double sigma_min = schedule.sigmas().front();
    SigmaPlan plan;
    switch (request.schedule) {
        case ScheduleKind::kAutomatic:
        case ScheduleKind::kUniform:
            plan.sigmas = ramp(schedule.timesteps() - 1, 0.0, request.steps, [&](double timestep) {
                return schedule.sigma_log_linear(timestep);
            });
            break;
        case ScheduleKind::kKarras:
            plan.sigmas = karras_sigmas(sigma_max, sigma_min, request.steps);
            break;
        case ScheduleKind::kExponential:
            plan.sigmas = exponential_sigmas(sigma_max, sigma_min, request.steps);
            break;
    }
    plan.timesteps = timesteps_of(schedule, plan.sigmas);
    plan.start = {0.0, plan.sigmas.front()};
    return finish(std::move(plan), request, skipped_steps_a1111);
}

Result<SigmaPlan> plan_diffusers_euler(const SamplerRequest& request) {
    TESSERA_TRY(check(request));
    TESSERA_ASSIGN(const bool karras, wants_karras(request));
    TESSERA_ASSIGN(const auto schedule, NoiseSchedule::create(request.config));
    const auto spacing = request.config.timestep_spacing.value_or(TimestepSpacing::kLinspace);
    SigmaPlan plan;
    plan.timesteps = spaced_timesteps(request.config, spacing, request.steps);
    TESSERA_TRY(check_trained(plan.timesteps.front(), request));
    plan.sigmas = sigmas_of(schedule, plan.timesteps);
    if (karras) {
        plan.sigmas = karras_sigmas(plan.sigmas.front(), plan.sigmas.back(), request.steps);
        plan.timesteps = timesteps_of(schedule, plan.sigmas);
    }
    const double sigma_max = plan.sigmas.front();
    plan.start = {
        0.0,
        spacing == TimestepSpacing::kLeading ? std::sqrt(sigma_max * sigma_max + 1.0) : sigma_max};
    return finish(std::move(plan), request, skipped_steps_diffusers);
}

Result<SigmaPlan> plan_diffusers_dpm(const SamplerRequest& request) {
    TESSERA_TRY(check(request));
    TESSERA_ASSIGN(const bool karras, wants_karras(request));
    TESSERA_ASSIGN(const auto schedule, NoiseSchedule::create(request.config));
    const auto spacing = request.config.timestep_spacing.value_or(TimestepSpacing::kLinspace);
    SigmaPlan plan;
    plan.space = LatentSpace::kVariancePreserving;
    if (karras) {
        plan.sigmas =
            karras_sigmas(schedule.sigmas().back(), schedule.sigmas().front(), request.steps);
        plan.timesteps = timesteps_of(schedule, plan.sigmas);
        std::transform(
            plan.timesteps.begin(), plan.timesteps.end(), plan.timesteps.begin(), round_half_even
        );
    } else {
        plan.timesteps = spaced_timesteps_without_last(request.config, spacing, request.steps);
        TESSERA_TRY(check_trained(plan.timesteps.front(), request));
        plan.sigmas = sigmas_of(schedule, plan.timesteps);
    }
    plan.start = {0.0, 1.0};
    return finish(std::move(plan), request, skipped_steps_diffusers);
}

}  // namespace tessera
