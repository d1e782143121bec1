#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <cstddef>
#include <vector>

namespace tessera {

/// In which scale the latents are kept between steps. The steps are the same in both.
enum class LatentSpace : std::uint8_t {
    kVarianceExploding,   ///< clean + sigma * noise; the network's input is scaled down
    kVariancePreserving,  ///< the above divided by sqrt(sigma^2 + 1); the network's input as it is
};

/// The noise levels of one run of a sampler that counts in sigmas.
struct SigmaPlan {
    LatentSpace space = LatentSpace::kVarianceExploding;
    PredictionType prediction = PredictionType::kEpsilon;
    /// Falling, one more than steps, the last 0.
    std::vector<double> sigmas;
    /// What the network is told at each step.
    std::vector<double> timesteps;
    /// Steps left out at the noisy end (image-to-image).
    std::size_t first = 0;
    StartMix start{};
};

/// k-diffusion's convention, with A1111's names and its image-to-image: sigmas from
/// linspace(last timestep, 0, steps) by log-linear interpolation (kUniform, also for kAutomatic),
/// Karras or exponential between the smallest and largest trained sigma; timesteps are fractional
/// and follow from the sigmas. The config's timestep_spacing plays no part.
[[nodiscard]] Result<SigmaPlan> plan_k_diffusion(const SamplerRequest& request);

/// EulerDiscreteScheduler's convention in diffusers 0.30 (and that of other samplers derived from
/// it): timesteps by timestep_spacing, unrounded; sigmas by linear interpolation; Karras between
/// the largest and smallest of those, with timesteps that follow.
[[nodiscard]] Result<SigmaPlan> plan_diffusers_euler(const SamplerRequest& request);

/// DPMSolverMultistepScheduler's convention in diffusers 0.30: timesteps without the cleanest one,
/// rounded; Karras over the whole trained range; latents variance-preserving.
[[nodiscard]] Result<SigmaPlan> plan_diffusers_dpm(const SamplerRequest& request);

}  // namespace tessera
