#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// Song et al. 2021, "Denoising Diffusion Implicit Models", equation 12; eta 0 (the default) is
/// deterministic, eta 1 is DDPM-like with one draw per step. With the convention of diffusers'
/// DDIMScheduler 0.30: timestep_spacing (leading by default), each step going down by training
/// timesteps / steps, set_alpha_to_one, clip_sample. Uniform schedule only.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_ddim(const SamplerRequest& request);

}  // namespace tessera
