#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// Steps by the slope half way (in log sigma): k-diffusion's sample_dpm_2, inspired by DPM-Solver-2
/// (Lu et al. 2022); two calls per step but the last. Deterministic. With k-diffusion's convention
/// (plan_k_diffusion; kAutomatic means Karras, as in A1111).
/// A1111's "DPM2", which leaves out the last but one noise level ...
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_dpm2(const SamplerRequest& request);
/// ... and the function of k-diffusion as such.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_sample_dpm_2(const SamplerRequest& request);

/// The same to below the next noise level, and fresh noise to come up to it: one draw per step but
/// the last; `eta` scales the noise, takes `s_noise`. A1111's "DPM2 a" ...
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_dpm2_ancestral(const SamplerRequest& request);
/// ... and k-diffusion's sample_dpm_2_ancestral.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_sample_dpm_2_ancestral(
    const SamplerRequest& request
);

/// With the convention of diffusers' KDPM2DiscreteScheduler and KDPM2AncestralDiscreteScheduler
/// (plan_diffusers_euler; eta always 1). The latter draws at each step's first call too and throws
/// that away, and so does this, for the sake of equal seeds.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_diffusers_kdpm2(const SamplerRequest& request);
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_diffusers_kdpm2_ancestral(
    const SamplerRequest& request
);

}  // namespace tessera
