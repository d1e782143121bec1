#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// DPM-Solver++(2M): second order by remembering the last step's clean latents (Lu et al. 2022,
/// "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models", algorithm 2).
/// The first and the last step are first order. Deterministic.
/// k-diffusion's sample_dpmpp_2m with its convention (plan_k_diffusion; kAutomatic means Karras, as
/// in A1111): A1111's "DPM++ 2M".
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_dpmpp_2m(const SamplerRequest& request);

/// The same with the convention of diffusers' DPMSolverMultistepScheduler (plan_diffusers_dpm).
/// kUnsupported for the config's other algorithm types, solver types and orders.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_diffusers_dpmpp_2m(const SamplerRequest& request
);

}  // namespace tessera
