#include "diffusion/sigma_plan.h"

#include "diffusion/sampler_request.h"
#include "diffusion/sigma_spacing.h"
#include "diffusion/timestep_spacing.h"

#include <algorithm>
#include <cmath>

namespace tessera {

namespace {

double variance_scale(double sigma) {
    return 1.0 / std::sqrt(sigma * sigma + 1.0);
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

/// Falling sigmas are what every sampler divides by; only the last step may lead nowhere.
Status check_falling(const SigmaPlan& plan) {
    const auto last = plan.sigmas.end() - 1;
    const auto rise =
        std::adjacent_find(plan.sigmas.begin(), last, [](double a, double b) { return !(a > b); });
    if (rise != last || !(*(last - 1) >= *last)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} steps are too many for this sampler: two of them would have the same noise level; "
            "ask for fewer",
            plan.timesteps.size()
        );
    }
    return {};
}

/// The smallest trained sigma, which the last one so far may miss by rounding.
double smallest_below(const SigmaPlan& plan) {
    return std::min(plan.schedule.sigmas().front(), plan.sigmas.back());
}

/// For image-to-image moves the start to where `skipped_steps` says.
Result<SigmaPlan> finish(
    SigmaPlan plan, const SamplerRequest& request, int (*skipped_steps)(int, double)
) {
    plan.prediction = request.config.prediction_type;
    TESSERA_TRY(check_falling(plan));
    if (request.strength) {
        const int skipped = skipped_steps(request.steps, *request.strength);
        plan.first =
            skipped == request.steps ? plan.timesteps.size() : static_cast<std::size_t>(skipped);
        const double sigma = plan.first < plan.timesteps.size() ? plan.sigmas[plan.first] : 0.0;
        const double scale =
            plan.space == LatentSpace::kVariancePreserving ? variance_scale(sigma) : 1.0;
        plan.start = {scale, scale * sigma};
    }
    return plan;
}

/// kUniform, kKarras, kExponential or kBeta.
Result<ScheduleKind> diffusers_schedule(const SamplerRequest& request, const char* name) {
    const SchedulerConfig& config = request.config;
    switch (request.schedule) {
        case ScheduleKind::kAutomatic:
            return config.use_karras_sigmas        ? ScheduleKind::kKarras
                   : config.use_exponential_sigmas ? ScheduleKind::kExponential
                   : config.use_beta_sigmas        ? ScheduleKind::kBeta
                                                   : ScheduleKind::kUniform;
        case ScheduleKind::kUniform:
        case ScheduleKind::kKarras:
        case ScheduleKind::kExponential:
        case ScheduleKind::kBeta:
            return request.schedule;
        case ScheduleKind::kSgmUniform:
        case ScheduleKind::kSimple:
        case ScheduleKind::kDdim:
        case ScheduleKind::kKlOptimal:
        case ScheduleKind::kAlignYourSteps:
            break;
    }
    return fail(
        ErrorKind::kUnsupported,
        "{} has no such schedule type; it has Automatic, Uniform, Karras, Exponential and Beta",
        name
    );
}

std::vector<double> spread(ScheduleKind kind, double largest, double smallest, int steps) {
    switch (kind) {
        case ScheduleKind::kExponential:
            return exponential_sigmas(largest, smallest, steps);
        case ScheduleKind::kBeta:
            return beta_sigmas(largest, smallest, steps);
        default:
            return karras_sigmas(largest, smallest, steps);
    }
}

}  // namespace

Result<SigmaPlan> plan_k_diffusion(
    const SamplerRequest& request, ScheduleKind automatic, PenultimateSigma penultimate
) {
    TESSERA_TRY(check(request));
    SigmaPlan plan;
    TESSERA_ASSIGN(plan.schedule, NoiseSchedule::create(request.config));
    const auto kind = request.schedule == ScheduleKind::kAutomatic ? automatic : request.schedule;
    const bool discard = penultimate == PenultimateSigma::kDiscarded;
    TESSERA_ASSIGN(
        plan.sigmas, k_diffusion_sigmas(kind, plan.schedule, request.steps + (discard ? 1 : 0))
    );
    if (discard) {
        plan.sigmas.erase(plan.sigmas.end() - 2);
    }
    plan.timesteps = timesteps_of(plan.schedule, {plan.sigmas.begin(), plan.sigmas.end() - 1});
    plan.start = {0.0, plan.sigmas.front()};
    return finish(std::move(plan), request, skipped_steps_a1111);
}

Result<SigmaPlan> plan_diffusers_euler(
    const SamplerRequest& request, const char* name, FinalSigma last
) {
    TESSERA_TRY(check(request));
    TESSERA_ASSIGN(const auto kind, diffusers_schedule(request, name));
    SigmaPlan plan;
    TESSERA_ASSIGN(plan.schedule, NoiseSchedule::create(request.config));
    const auto spacing = request.config.timestep_spacing.value_or(TimestepSpacing::kLinspace);
    plan.timesteps = spaced_timesteps(request.config, spacing, request.steps);
    TESSERA_TRY(check_trained(plan.timesteps.front(), request));
    plan.sigmas = sigmas_of(plan.schedule, plan.timesteps);
    if (kind != ScheduleKind::kUniform) {
        plan.sigmas = spread(kind, plan.sigmas.front(), plan.sigmas.back(), request.steps);
        plan.timesteps = timesteps_of(plan.schedule, plan.sigmas);
    }
    const bool to_smallest = last == FinalSigma::kAsConfigured && request.config.ends_at_sigma_min;
    plan.sigmas.push_back(to_smallest ? smallest_below(plan) : 0.0);
    const double sigma_max = plan.sigmas.front();
    plan.start = {
        0.0,
        spacing == TimestepSpacing::kLeading ? std::sqrt(sigma_max * sigma_max + 1.0) : sigma_max};
    return finish(std::move(plan), request, skipped_steps_diffusers);
}

Result<SigmaPlan> plan_diffusers_dpm(const SamplerRequest& request, const char* name) {
    TESSERA_TRY(check(request));
    TESSERA_ASSIGN(const auto kind, diffusers_schedule(request, name));
    SigmaPlan plan;
    TESSERA_ASSIGN(plan.schedule, NoiseSchedule::create(request.config));
    const auto& trained = plan.schedule.sigmas();
    const auto spacing = request.config.timestep_spacing.value_or(TimestepSpacing::kLinspace);
    plan.space = LatentSpace::kVariancePreserving;
    if (kind == ScheduleKind::kUniform) {
        plan.timesteps = spaced_timesteps_without_last(request.config, spacing, request.steps);
        TESSERA_TRY(check_trained(plan.timesteps.front(), request));
        plan.sigmas = sigmas_of(plan.schedule, plan.timesteps);
    } else {
        plan.sigmas = spread(kind, trained.back(), trained.front(), request.steps);
        plan.timesteps = timesteps_of(plan.schedule, plan.sigmas);
        // Only with Karras diffusers rounds; else its cast to integers cuts the fraction off.
        std::transform(
            plan.timesteps.begin(),
            plan.timesteps.end(),
            plan.timesteps.begin(),
            [&](double timestep) {
                return kind == ScheduleKind::kKarras ? round_half_even(timestep)
                                                     : std::floor(timestep);
            }
        );
    }
    plan.sigmas.push_back(request.config.ends_at_sigma_min ? smallest_below(plan) : 0.0);
    plan.start = {0.0, 1.0};
    return finish(std::move(plan), request, skipped_steps_diffusers);
}

}  // namespace tessera
