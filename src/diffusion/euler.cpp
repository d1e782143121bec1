#include "diffusion/euler.h"

#include "diffusion/sigma_sampler.h"

namespace tessera {

namespace {

class Euler final : public SigmaSampler {
  public:
    explicit Euler(const SigmaPlan& plan) : SigmaSampler(plan) {}

    void step(
        std::size_t call,
        const Tensor& output,
        [[maybe_unused]] NoiseSource& noise,
        SamplerState& state
    ) const override {
        state.predicted_clean = predict_clean(call, output, state.latents);
        state.latents = move_towards(state.predicted_clean, sigma_to(call), call, state.latents);
    }
};

}  // namespace

Result<std::unique_ptr<Sampler>> make_euler(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_k_diffusion(request));
    return std::make_unique<Euler>(plan);
}

Result<std::unique_ptr<Sampler>> make_diffusers_euler(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_diffusers_euler(request));
    return std::make_unique<Euler>(plan);
}

}  // namespace tessera
