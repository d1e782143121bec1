#include "diffusion/sigma_sampler.h"

#include "diffusion/linear_combination.h"

#include <cmath>

namespace tessera {

namespace {

struct Calls {
    std::vector<ModelCall> calls;
    std::vector<double> sigmas;

    void add(const SigmaPlan& plan, std::size_t step, double sigma, double timestep) {
        const double signal = 1.0 / std::sqrt(sigma * sigma + 1.0);
        const double scale = plan.space == LatentSpace::kVarianceExploding ? signal : 1.0;
        calls.push_back({timestep, scale, step - plan.first, signal, sigma * signal});
        sigmas.push_back(sigma);
    }
};

Calls calls_of(
    const SigmaPlan& plan,
    const std::function<std::optional<double>(double from, double to)>& second
) {
    Calls calls;
    for (std::size_t i = plan.first; i < plan.timesteps.size(); ++i) {
        calls.add(plan, i, plan.sigmas[i], plan.timesteps[i]);
        if (const auto sigma = second(plan.sigmas[i], plan.sigmas[i + 1])) {
            const bool is_next = i + 1 < plan.timesteps.size() && *sigma == plan.sigmas[i + 1];
            const double timestep =
                is_next ? plan.timesteps[i + 1] : plan.schedule.timestep_of(*sigma);
            calls.add(plan, i, *sigma, timestep);
        }
    }
    return calls;
}

std::optional<double> no_second(double /*from*/, double /*to*/) {
    return std::nullopt;
}

}  // namespace

SigmaSampler::SigmaSampler(const SigmaPlan& plan) : SigmaSampler(plan, no_second) {}

SigmaSampler::SigmaSampler(const SigmaPlan& plan, const SecondSigma& second)
    : Sampler(calls_of(plan, second).calls, plan.start, plan.sigmas),
      space_(plan.space),
      prediction_(plan.prediction),
      first_(plan.first),
      call_sigmas_(calls_of(plan, second).sigmas) {}

double SigmaSampler::sigma_from(std::size_t call) const {
    return sigmas()[first_ + calls()[call].step];
}

double SigmaSampler::sigma_to(std::size_t call) const {
    return sigmas()[first_ + calls()[call].step + 1];
}

bool SigmaSampler::is_second(std::size_t call) const {
    return call > 0 && call < calls().size() && calls()[call].step == calls()[call - 1].step;
}

bool SigmaSampler::has_second(std::size_t call) const {
    return is_second(call + 1);
}

double SigmaSampler::scale_at(double sigma) const {
    return space_ == LatentSpace::kVariancePreserving ? 1.0 / std::sqrt(sigma * sigma + 1.0) : 1.0;
}

Tensor SigmaSampler::predict_clean(std::size_t call, const Tensor& output, const Tensor& latents)
    const {
    const double sigma = sigma_at(call);
    const double to_exploding = 1.0 / scale_at(sigma);
    const double variance = sigma * sigma + 1.0;
    switch (prediction_) {
        case PredictionType::kEpsilon:
            return linear_combination({{to_exploding, latents}, {-sigma, output}});
        case PredictionType::kVPrediction:
            return linear_combination(
                {{to_exploding / variance, latents}, {-sigma / std::sqrt(variance), output}}
            );
        case PredictionType::kSample:
            break;
    }
    return output;
}

Tensor SigmaSampler::move(const Tensor& latents, double from, double to, const Tensor& clean)
    const {
    const double kept = to / from;
    const double scale = scale_at(to);
    return linear_combination(
        {{scale * kept / scale_at(from), latents}, {scale * (1.0 - kept), clean}}
    );
}

}  // namespace tessera
