#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// Euler's method that steps lower than needed and adds fresh noise back, as ancestral sampling
/// does (Ho et al. 2020, "Denoising Diffusion Probabilistic Models"; Song et al. 2021). One draw
/// per step but the last.
/// k-diffusion's sample_euler_ancestral with its convention (plan_k_diffusion): A1111's "Euler a".
/// `eta` scales the fresh noise; 0 is Euler.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_euler_ancestral(const SamplerRequest& request);

/// The same with the convention of diffusers' EulerAncestralDiscreteScheduler: as
/// plan_diffusers_euler, uniform only, eta always 1.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_diffusers_euler_ancestral(
    const SamplerRequest& request
);

}  // namespace tessera
