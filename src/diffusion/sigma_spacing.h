#pragma once

#include "base/result.h"
#include "diffusion/noise_schedule.h"
#include "diffusion/sampler.h"

#include <vector>

namespace tessera {

// Falling noise levels. All but k_diffusion_sigmas leave out the 0 at the end.

/// Karras et al. 2022, equation 5, with rho 7.
[[nodiscard]] std::vector<double> karras_sigmas(double largest, double smallest, int steps);

/// Evenly in log sigma.
[[nodiscard]] std::vector<double> exponential_sigmas(double largest, double smallest, int steps);

/// At the quantiles of the beta distribution with both parameters 0.6 (Lee et al. 2024).
[[nodiscard]] std::vector<double> beta_sigmas(double largest, double smallest, int steps);

/// A1111's schedule types, ends included (a 0, for kKlOptimal the smallest trained sigma);
/// kAutomatic means kUniform. kDdim gives more sigmas than asked for where the steps do not divide
/// the training timesteps, as there. kUnsupported for kAlignYourSteps on a noise schedule other
/// than Stable Diffusion's.
[[nodiscard]] Result<std::vector<double>> k_diffusion_sigmas(
    ScheduleKind kind, const NoiseSchedule& schedule, int steps
);

}  // namespace tessera
