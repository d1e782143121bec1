#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

// DPM-Solver++ of several orders by remembering earlier steps' clean latents (Lu et al. 2022,
// "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models", algorithm 2),
// with k-diffusion's convention (plan_k_diffusion). The first steps and the last are of lower
// order. The stochastic ones draw once per step but the last; `eta` scales the noise (0 is
// without), and they take `s_noise`. A1111 and ComfyUI draw from a Brownian tree for them; this
// takes independent noise of each picture's generator for each draw, so that pictures are as good
// but not the same.

/// k-diffusion's sample_dpmpp_2m: A1111's "DPM++ 2M"; kAutomatic means Karras, as there.
/// Deterministic.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_dpmpp_2m(const SamplerRequest& request);

/// k-diffusion's sample_dpmpp_2m_sde with solver type midpoint, and with heun: A1111's
/// "DPM++ 2M SDE" and "DPM++ 2M SDE Heun"; kAutomatic means exponential, as there.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_dpmpp_2m_sde(const SamplerRequest& request);
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_dpmpp_2m_sde_heun(const SamplerRequest& request
);

/// Third order: A1111's "DPM++ 3M SDE", which leaves out the last but one noise level; kAutomatic
/// means exponential, as there ...
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_dpmpp_3m_sde(const SamplerRequest& request);
/// ... and k-diffusion's sample_dpmpp_3m_sde as such.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_sample_dpmpp_3m_sde(
    const SamplerRequest& request
);

}  // namespace tessera
