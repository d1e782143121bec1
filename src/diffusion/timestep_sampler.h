#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <optional>
#include <vector>

namespace tessera {

/// The training timesteps of one run of a sampler that counts in them, as diffusers spaces them.
struct TimestepPlan {
    /// Falling; all, also those that image-to-image skips.
    std::vector<int> timesteps;
    /// Steps left out at the noisy end (image-to-image).
    std::size_t first = 0;
    /// Share of signal variance at each training timestep.
    std::vector<float> alphas;

    [[nodiscard]] double alpha_at(int timestep) const {
        return static_cast<double>(alphas[static_cast<std::size_t>(timestep)]);
    }
};

/// kUnsupported for schedule types but kAutomatic and kUniform; `name` is for that error. Leading
/// is the default of timestep_spacing.
[[nodiscard]] Result<TimestepPlan> plan_timesteps(const SamplerRequest& request, const char* name);

/// kUnsupported for schedule types but kAutomatic and kUniform.
[[nodiscard]] Status check_uniform(const SamplerRequest& request, const char* name);

/// How to begin where the signal's share is that; nothing to do stands for the picture as it is.
[[nodiscard]] StartMix start_at(std::optional<double> alpha, const SamplerRequest& request);

/// What samplers that count in timesteps have in common: latents are variance-preserving, with the
/// signal's share of variance alpha_bar (Ho et al. 2020).
class TimestepSampler : public Sampler {
  protected:
    TimestepSampler(std::vector<ModelCall> calls, StartMix start, const SamplerRequest& request);

    [[nodiscard]] static ModelCall call_at(int timestep, double alpha, std::size_t step);

    /// The clean latents that the network's output stands for, clipped if the config says so.
    [[nodiscard]] Tensor predict_clean(double alpha, const Tensor& output, const Tensor& latents)
        const;

    /// a * latents + b * output for the noise that the output stands for: these two factors.
    struct NoiseShares {
        double latents;
        double output;
    };
    [[nodiscard]] NoiseShares noise_shares(double alpha) const;

  private:
    PredictionType prediction_;
    std::optional<float> clip_range_;
};

}  // namespace tessera
