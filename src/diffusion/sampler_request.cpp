#include "diffusion/sampler_request.h"

namespace tessera {

Status check(const SamplerRequest& request) {
    TESSERA_TRY(request.config.validate());
    if (request.steps < 1 || request.steps > request.config.num_train_timesteps) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} steps: the number of steps must lie between 1 and {}, the timesteps of the model's "
            "training",
            request.steps,
            request.config.num_train_timesteps
        );
    }
    if (request.strength && !(*request.strength >= 0.0 && *request.strength <= 1.0)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "strength {}: the strength must lie between 0 and 1",
            *request.strength
        );
    }
    if (request.eta && !(*request.eta >= 0.0 && *request.eta <= 1.0)) {
        return fail(
            ErrorKind::kInvalidArgument, "eta {}: eta must lie between 0 and 1", *request.eta
        );
    }
    if (request.s_noise && !(*request.s_noise >= 0.0 && *request.s_noise <= 2.0)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "s_noise {}: s_noise must lie between 0 and 2",
            *request.s_noise
        );
    }
    return {};
}

Status check_trained(double first_timestep, const SamplerRequest& request) {
    const int last = request.config.num_train_timesteps - 1;
    if (first_timestep > last) {
        return fail(
            ErrorKind::kInvalidArgument,
            "with steps_offset {}, {} steps begin at timestep {}, beyond the last trained one, {}; "
            "ask for fewer steps",
            request.config.steps_offset,
            request.steps,
            first_timestep,
            last
        );
    }
    return {};
}

}  // namespace tessera
