#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// Heun's method: Karras et al. 2022, algorithm 2 without churn; two calls per step but
/// the last. Deterministic.
/// k-diffusion's sample_heun with its convention (plan_k_diffusion): A1111's "Heun".
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_heun(const SamplerRequest& request);

/// The same with the convention of diffusers' HeunDiscreteScheduler (plan_diffusers_euler).
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_diffusers_heun(const SamplerRequest& request);

}  // namespace tessera
