#include "diffusion/dpmpp_2m.h"

#include "diffusion/linear_combination.h"
#include "diffusion/sigma_sampler.h"

#include <cmath>

namespace tessera {

namespace {

class Dpmpp2m final : public SigmaSampler {
  public:
    explicit Dpmpp2m(const SigmaPlan& plan) : SigmaSampler(plan) {}

    [[nodiscard]] std::size_t history_size(std::size_t call) const override {
        return call == 0 ? 0 : 1;
    }

    void step(
        std::size_t call,
        const Tensor& output,
        [[maybe_unused]] NoiseSource& noise,
        SamplerState& state
    ) const override {
        Tensor clean = predict_clean(call, output, state.latents);
        const double to = sigma_to(call);
        if (call == 0 || to == 0.0) {
            state.latents = move_towards(clean, to, call, state.latents);
        } else {
            // Steps in lambda = -log sigma, in which the extrapolation is linear.
            const double last = std::log(sigma_from(call - 1) / sigma_from(call));
            const double now = std::log(sigma_from(call) / to);
            const double lead = now / (2.0 * last);
            const Tensor midway =
                linear_combination({{1.0 + lead, clean}, {-lead, state.history.front()}});
            state.latents = move_towards(midway, to, call, state.latents);
        }
        state.history = {clean};
        state.predicted_clean = std::move(clean);
    }
};

}  // namespace

Result<std::unique_ptr<Sampler>> make_dpmpp_2m(const SamplerRequest& request) {
    SamplerRequest chosen = request;
    if (chosen.schedule == ScheduleKind::kAutomatic) {
        chosen.schedule = ScheduleKind::kKarras;
    }
    TESSERA_ASSIGN(const auto plan, plan_k_diffusion(chosen));
    return std::make_unique<Dpmpp2m>(plan);
}

Result<std::unique_ptr<Sampler>> make_diffusers_dpmpp_2m(const SamplerRequest& request) {
    const SchedulerConfig& config = request.config;
    if (config.algorithm_type != "dpmsolver++" || config.solver_type != "midpoint" ||
        config.solver_order != 2) {
        return fail(
            ErrorKind::kUnsupported,
            "DPMSolverMultistepScheduler with algorithm_type {}, solver_type {} and solver_order "
            "{} is not supported; dpmsolver++, midpoint and 2 are",
            config.algorithm_type,
            config.solver_type,
            config.solver_order
        );
    }
    TESSERA_ASSIGN(const auto plan, plan_diffusers_dpm(request));
    return std::make_unique<Dpmpp2m>(plan);
}

}  // namespace tessera
