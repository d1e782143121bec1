#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// The stochastic DPM-Solver++ of second order in a single step: two calls and two draws per step
/// but the last. k-diffusion's sample_dpmpp_sde with r 1/2 and its convention (plan_k_diffusion;
/// kAutomatic means Karras, as in A1111): A1111's "DPM++ SDE". `eta` scales the noise, takes
/// `s_noise`. The programs named draw from a Brownian tree; this takes independent noise of each
/// picture's generator for each draw, so that pictures are as good but not the same.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_dpmpp_sde(const SamplerRequest& request);

/// The same with the convention of diffusers' DPMSolverSDEScheduler (plan_diffusers_euler; eta
/// always 1; takes `s_noise`).
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_diffusers_dpm_sde(const SamplerRequest& request
);

}  // namespace tessera
