#pragma once

#include "base/result.h"
#include "diffusion/sampler.h"

namespace tessera {

/// kInvalidArgument naming the field, its value and its range. Checks what is common to all
/// samplers, the config included.
[[nodiscard]] Status check(const SamplerRequest& request);

/// kInvalidArgument when the first timestep lies beyond the trained ones (a large steps_offset).
[[nodiscard]] Status check_trained(double first_timestep, const SamplerRequest& request);

}  // namespace tessera
