#include "diffusion/heun.h"

#include "diffusion/linear_combination.h"
#include "diffusion/sigma_sampler.h"

namespace tessera {

namespace {

/// The second call looks from where Euler's step would end.
std::optional<double> end_of_step(double /*from*/, double to) {
    return to > 0.0 ? std::optional(to) : std::nullopt;
}

/// Between the two calls of a step the history holds the step's first latents, and the clean ones
/// predicted from them.
class Heun final : public SigmaSampler {
  public:
    explicit Heun(const SigmaPlan& plan) : SigmaSampler(plan, end_of_step) {}

    [[nodiscard]] std::size_t history_size(std::size_t call) const override {
        return is_second(call) ? 2 : 0;
    }

    void step(
        std::size_t call,
        const Tensor& output,
        [[maybe_unused]] NoiseSource& noise,
        SamplerState& state
    ) const override {
        const double from = sigma_from(call);
        const double to = sigma_to(call);
        Tensor clean = predict_clean(call, output, state.latents);
        if (is_second(call)) {
            // The mean of (latents - clean) / sigma at both ends, times the way.
            const double half = (to - from) / 2.0;
            state.latents = linear_combination(
                {{1.0 + half / from, state.history[0]},
                 {-half / from, state.history[1]},
                 {half / to, state.latents},
                 {-half / to, clean}}
            );
            state.history.clear();
        } else {
            Tensor ahead = move(state.latents, from, to, clean);
            if (has_second(call)) {
                state.history = {std::move(state.latents), clean};
            }
            state.latents = std::move(ahead);
        }
        state.predicted_clean = std::move(clean);
    }
};

}  // namespace

Result<std::unique_ptr<Sampler>> make_heun(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_k_diffusion(request));
    return std::make_unique<Heun>(plan);
}

Result<std::unique_ptr<Sampler>> make_diffusers_heun(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_diffusers_euler(request, "HeunDiscreteScheduler"));
    return std::make_unique<Heun>(plan);
}

}  // namespace tessera
