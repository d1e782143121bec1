#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// Ho et al. 2020, "Denoising Diffusion Probabilistic Models", equations 6 and 7, over the steps'
/// strides: one draw per step but one to the clean latents. With the convention of diffusers'
/// DDPMScheduler 0.30: timestep_spacing (leading by default), each step going down by training
/// timesteps / steps, clip_sample, variance_type fixed_small or fixed_large (kUnsupported for
/// others). Uniform schedule only.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_ddpm(const SamplerRequest& request);

}  // namespace tessera
