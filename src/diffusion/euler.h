#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// Euler's method on the probability flow ODE: Karras et al. 2022, "Elucidating the Design Space of
/// Diffusion-Based Generative Models", algorithm 2 without churn. Deterministic.
/// k-diffusion's sample_euler with its convention (plan_k_diffusion): A1111's "Euler".
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_euler(const SamplerRequest& request);

/// The same with the convention of diffusers' EulerDiscreteScheduler (plan_diffusers_euler,
/// final_sigmas_type). The noise that one draws in every step has no effect without churn, and is
/// not drawn here.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_diffusers_euler(const SamplerRequest& request);

}  // namespace tessera
