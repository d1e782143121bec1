#include "diffusion/sigma_sampler.h"

#include "diffusion/linear_combination.h"

#include <cmath>

namespace tessera {

namespace {

std::vector<ModelCall> calls_of(const SigmaPlan& plan) {
    std::vector<ModelCall> calls;
    for (std::size_t i = plan.first; i < plan.timesteps.size(); ++i) {
        const double sigma = plan.sigmas[i];
        const double scale = plan.space == LatentSpace::kVarianceExploding
                                 ? 1.0 / std::sqrt(sigma * sigma + 1.0)
                                 : 1.0;
        calls.push_back({plan.timesteps[i], scale, i - plan.first});
    }
    return calls;
}

}  // namespace

SigmaSampler::SigmaSampler(const SigmaPlan& plan)
    : Sampler(calls_of(plan), plan.start, plan.sigmas),
      space_(plan.space),
      prediction_(plan.prediction),
      first_(plan.first) {}

double SigmaSampler::scale_at(double sigma) const {
    return space_ == LatentSpace::kVariancePreserving ? 1.0 / std::sqrt(sigma * sigma + 1.0) : 1.0;
}

Tensor SigmaSampler::predict_clean(std::size_t call, const Tensor& output, const Tensor& latents)
    const {
    const double sigma = sigma_from(call);
    const double to_exploding = 1.0 / scale_at(sigma);
    if (prediction_ == PredictionType::kEpsilon) {
        return linear_combination({{to_exploding, latents}, {-sigma, output}});
    }
    const double variance = sigma * sigma + 1.0;
    return linear_combination(
        {{to_exploding / variance, latents}, {-sigma / std::sqrt(variance), output}}
    );
}

Tensor SigmaSampler::move_towards(
    const Tensor& clean, double sigma, std::size_t call, const Tensor& latents
) const {
    const double kept = sigma / sigma_from(call);
    const double scale = scale_at(sigma);
    return linear_combination(
        {{scale * kept / scale_at(sigma_from(call)), latents}, {scale * (1.0 - kept), clean}}
    );
}

}  // namespace tessera
