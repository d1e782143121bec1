#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

#include <memory>

namespace tessera {

/// diffusers' DPMSolverMultistepScheduler 0.30 (plan_diffusers_dpm) with the config's
/// algorithm_type, solver_type, solver_order, lower_order_final, euler_at_final and
/// final_sigmas_type. kUnsupported for other values than that class knows, for third order of its
/// stochastic types, and for "dpmsolver" types that end at zero, as there.
[[nodiscard]] Result<std::unique_ptr<Sampler>> make_dpm_solver_multistep(
    const SamplerRequest& request
);

}  // namespace tessera
