#pragma once

#include "diffusion/scheduler_config.h"

#include <vector>

namespace tessera {

/// The training timesteps that n steps visit, falling, as diffusers 0.30 spaces them.
/// `linspace` ones are fractional; round_half_even() gives the integer ones of some samplers.
/// Needs 1 <= steps <= config.num_train_timesteps. steps_offset applies to `leading` alone and may
/// push the first timestep beyond the last trained one.
[[nodiscard]] std::vector<double> spaced_timesteps(
    const SchedulerConfig& config, TimestepSpacing spacing, int steps
);

/// The same as DPMSolverMultistepScheduler spaces them: n + 1 points, without the last (the
/// cleanest), rounded to integers; `trailing` as above.
[[nodiscard]] std::vector<double> spaced_timesteps_without_last(
    const SchedulerConfig& config, TimestepSpacing spacing, int steps
);

/// numpy.round: halves go to the even neighbour.
[[nodiscard]] double round_half_even(double value);

/// How many of n steps image-to-image leaves out at the noisy end, as diffusers' pipelines count:
/// int(steps * strength) steps remain, possibly none. `strength` in 0 .. 1.
[[nodiscard]] int skipped_steps_diffusers(int steps, double strength);

/// The same as A1111 counts for k-diffusion samplers: int(steps * strength) + 1 steps remain, at
/// most all; none for strength 0, which asks for the picture as it is.
[[nodiscard]] int skipped_steps_a1111(int steps, double strength);

}  // namespace tessera
