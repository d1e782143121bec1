#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// Euler's method to below the next noise level, and fresh noise to come up to it: one draw per
/// step but the last. k-diffusion's sample_euler_ancestral with its convention (plan_k_diffusion):
/// A1111's "Euler a". `eta` scales the fresh noise; 0 is Euler. Takes `s_noise`.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_euler_ancestral(const SamplerRequest& request);

/// The same with the convention of diffusers' EulerAncestralDiscreteScheduler: as
/// plan_diffusers_euler, uniform only, eta always 1.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_diffusers_euler_ancestral(
    const SamplerRequest& request
);

}  // namespace tessera
