#pragma once

#include "base/result.h"
#include "diffusion/scheduler_config.h"

#include <vector>

namespace tessera {

/// The noise levels a model was trained on, one per training timestep, with the rounding of
/// PyTorch's float32 code. Immutable.
class NoiseSchedule {
  public:
    /// kInvalidArgument when the config's betas leave a level without signal or make two
    /// neighbouring levels equal.
    [[nodiscard]] static Result<NoiseSchedule> create(const SchedulerConfig& config);

    [[nodiscard]] int timesteps() const { return static_cast<int>(sigmas_.size()); }

    /// Share of signal variance left at each timestep, falling; the last may be 0 (zero SNR).
    [[nodiscard]] const std::vector<float>& alphas_cumprod() const { return alphas_cumprod_; }

    /// sqrt((1 - a) / a) of the above, rising. For zero SNR the last is that of a = 2^-24, as in
    /// diffusers, so that it stays finite.
    [[nodiscard]] const std::vector<double>& sigmas() const { return sigmas_; }

    /// Sigma between timesteps: linear in sigma (diffusers) ...
    [[nodiscard]] double sigma_linear(double timestep) const;
    /// ... or in log sigma (k-diffusion). `timestep` must lie in 0 .. timesteps() - 1.
    [[nodiscard]] double sigma_log_linear(double timestep) const;

    /// The fractional timestep of a sigma by interpolation in log sigma, clamped to the trained
    /// range. The inverse of sigma_log_linear.
    [[nodiscard]] double timestep_of(double sigma) const;

  private:
    std::vector<float> alphas_cumprod_;
    std::vector<double> sigmas_;
    std::vector<double> log_sigmas_;
};

}  // namespace tessera
