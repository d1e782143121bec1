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
        state.latents =
            move(state.latents, sigma_from(call), sigma_to(call), state.predicted_clean);
    }
};

}  // namespace

Result<std::unique_ptr<Sampler>> make_euler(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_k_diffusion(request));
    return std::make_unique<Euler>(plan);
}

Result<std::unique_ptr<Sampler>> make_diffusers_euler(const SamplerRequest& request) {
    TESSERA_ASSIGN(
        const auto plan,
        plan_diffusers_euler(request, "EulerDiscreteScheduler", FinalSigma::kAsConfigured)
    );
    return std::make_unique<Euler>(plan);
}

}  // namespace tessera
