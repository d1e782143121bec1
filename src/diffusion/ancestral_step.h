#pragma once

#include "diffusion/sampler.h"

#include <optional>

namespace tessera {

/// A step down to a noise level in two parts: without noise further down than the level, and back
/// up with fresh noise (k-diffusion's get_ancestral_step).
struct AncestralStep {
    double down;
    double up;
};

/// `eta`: 0 goes straight to `to`, 1 replaces as much noise as a step of DDPM does.
[[nodiscard]] AncestralStep ancestral_step(double from, double to, double eta);

/// The middle, in log sigma, of the way down; nothing where that leads to 0.
[[nodiscard]] std::optional<double> halfway_down(double from, double to, double eta);

/// Noise of k-diffusion's samplers that add some: SamplerRequest's fields, by default 1 both.
struct FreshNoise {
    double eta = 1.0;
    double s_noise = 1.0;
};
[[nodiscard]] FreshNoise fresh_noise(const SamplerRequest& request);

/// latents + share * one draw.
[[nodiscard]] Tensor with_noise(const Tensor& latents, double share, NoiseSource& noise);

}  // namespace tessera
