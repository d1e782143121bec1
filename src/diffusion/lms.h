#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// The linear multistep method of Adams and Bashforth over sigmas, of order 4, lower at the first
/// steps; one call per step. Deterministic.
/// k-diffusion's sample_lms with its convention (plan_k_diffusion): A1111's "LMS".
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_lms(const SamplerRequest& request);

/// The same with the convention of diffusers' LMSDiscreteScheduler (plan_diffusers_euler).
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_diffusers_lms(const SamplerRequest& request);

}  // namespace tessera
