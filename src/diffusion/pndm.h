#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// Liu et al. 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds", without
/// Runge-Kutta steps: the PLMS sampler of latent diffusion. Linear multistep of order 4, lower at
/// the first steps; the first step calls the network twice. Deterministic. With the convention of
/// diffusers' PNDMScheduler 0.30: timestep_spacing (leading by default), each step going down by
/// training timesteps / steps, set_alpha_to_one (no by default), and in image-to-image the network
/// is told of the second step on a timestep one further than the latents are. Uniform schedule
/// only. kUnsupported for skip_prk_steps false.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_pndm(const SamplerRequest& request);

}  // namespace tessera
