#pragma once

#include "diffusion/ancestral_step.h"
#include "diffusion/sampler.h"
#include "diffusion/sigma_plan.h"

#include <cstdint>
#include <functional>
#include <memory>

namespace tessera {

/// What the solver extrapolates: the clean latents (DPM-Solver++) or the noise (DPM-Solver).
enum class DpmIntegrand : std::uint8_t { kClean, kNoise };

/// How the second-order term is weighted; at third order always as in kHeun.
enum class DpmCorrection : std::uint8_t { kMidpoint, kHeun };

struct DpmMultistep {
    DpmIntegrand integrand = DpmIntegrand::kClean;
    DpmCorrection correction = DpmCorrection::kMidpoint;
    /// 1 .. 3. One call per step; earlier results are remembered.
    int order = 2;
    /// The order at a step of the plan, at most; the first steps and the one to 0 are of lower
    /// order anyway. Empty: no further limit.
    std::function<int(std::size_t step)> limit;
    /// eta 0 solves the ODE, 1 the SDE; between lies a blend (kClean only). One draw per step with
    /// eta above 0, but for a step to 0.
    FreshNoise fresh{0.0, 0.0};
};

/// The multistep solvers of Lu et al. 2022, "DPM-Solver" and "DPM-Solver++", with their stochastic
/// forms as k-diffusion and diffusers have them. A step that leads nowhere changes nothing.
[[nodiscard]] std::unique_ptr<Sampler> make_dpm_multistep(
    const SigmaPlan& plan, DpmMultistep solver
);

}  // namespace tessera
