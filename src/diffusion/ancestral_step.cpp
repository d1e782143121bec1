#include "diffusion/ancestral_step.h"

#include "diffusion/linear_combination.h"

#include <algorithm>
#include <cmath>

namespace tessera {

AncestralStep ancestral_step(double from, double to, double eta) {
    const double up =
        std::min(to, eta * std::sqrt(to * to * (from * from - to * to) / (from * from)));
    return {std::sqrt(to * to - up * up), up};
}

std::optional<double> halfway_down(double from, double to, double eta) {
    const double down = ancestral_step(from, to, eta).down;
    return down > 0.0 ? std::optional(std::sqrt(from * down)) : std::nullopt;
}

FreshNoise fresh_noise(const SamplerRequest& request) {
    return {request.eta.value_or(1.0), request.s_noise.value_or(1.0)};
}

Tensor with_noise(const Tensor& latents, double share, NoiseSource& noise) {
    const Tensor drawn = noise.draw(latents.shape);
    return linear_combination({{1.0, latents}, {share, drawn}});
}

}  // namespace tessera
