#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// Luo et al. 2023, "Latent Consistency Models", multistep sampling: each call gives clean latents,
/// to which noise of the next step's level is added; one draw per step but the last. For models
/// distilled that way. With the convention of diffusers' LCMScheduler 0.30: steps are chosen out of
/// the original_inference_steps of the distillation (kInvalidArgument for more steps than those),
/// timestep_scaling, clip_sample. Uniform schedule only.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_lcm(const SamplerRequest& request);

}  // namespace tessera
