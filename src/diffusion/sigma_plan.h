#pragma once

#include "base/result.h"
#include "diffusion/noise_schedule.h"
#include "diffusion/sampler.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tessera {

/// In which scale the latents are kept between steps. The steps are the same in both.
enum class LatentSpace : std::uint8_t {
    kVarianceExploding,   ///< clean + sigma * noise; the network's input is scaled down
    kVariancePreserving,  ///< the above divided by sqrt(sigma^2 + 1); the network's input as it is
};

/// The noise levels of one run of a sampler that counts in sigmas.
struct SigmaPlan {
    NoiseSchedule schedule;
    LatentSpace space = LatentSpace::kVarianceExploding;
    PredictionType prediction = PredictionType::kEpsilon;
    /// Falling, one more than steps. The last is 0, or with some schedules a small sigma, which
    /// may equal the one before.
    std::vector<double> sigmas;
    /// What the network is told at the start of each step.
    std::vector<double> timesteps;
    /// Steps left out at the noisy end (image-to-image).
    std::size_t first = 0;
    StartMix start{};
};

/// Of the noise levels, whether the last but one (the smallest above 0) is kept.
enum class PenultimateSigma : std::uint8_t { kKept, kDiscarded };

/// k-diffusion's convention, with A1111's names, schedule types (k_diffusion_sigmas) and
/// image-to-image; timesteps are fractional and follow from the sigmas. The config's
/// timestep_spacing plays no part. kDiscarded: one level more is planned and then left out, as
/// A1111 and ComfyUI do for some samplers.
[[nodiscard]] Result<SigmaPlan> plan_k_diffusion(
    const SamplerRequest& request,
    ScheduleKind automatic = ScheduleKind::kUniform,
    PenultimateSigma penultimate = PenultimateSigma::kKept
);

/// Whether a sampler of diffusers knows final_sigmas_type.
enum class FinalSigma : std::uint8_t { kZero, kAsConfigured };

/// EulerDiscreteScheduler's convention in diffusers 0.30 (and that of other samplers derived from
/// it): timesteps by timestep_spacing, unrounded; sigmas by linear interpolation; Karras,
/// exponential and beta schedules between the largest and smallest of those, with timesteps that
/// follow. `name` is for errors.
[[nodiscard]] Result<SigmaPlan> plan_diffusers_euler(
    const SamplerRequest& request, const char* name, FinalSigma last = FinalSigma::kZero
);

/// DPMSolverMultistepScheduler's convention in diffusers 0.30: timesteps without the cleanest one,
/// rounded; Karras, exponential and beta schedules over the whole trained range; latents
/// variance-preserving; final_sigmas_type.
[[nodiscard]] Result<SigmaPlan> plan_diffusers_dpm(const SamplerRequest& request, const char* name);

}  // namespace tessera
