#include "diffusion/euler_ancestral.h"

#include "diffusion/ancestral_step.h"
#include "diffusion/sigma_sampler.h"

namespace tessera {

namespace {

class EulerAncestral final : public SigmaSampler {
  public:
    EulerAncestral(const SigmaPlan& plan, FreshNoise fresh) : SigmaSampler(plan), fresh_(fresh) {}

    void step(std::size_t call, const Tensor& output, NoiseSource& noise, SamplerState& state)
        const override {
        const auto [down, up] = ancestral_step(sigma_from(call), sigma_to(call), fresh_.eta);
        state.predicted_clean = predict_clean(call, output, state.latents);
        state.latents = move(state.latents, sigma_from(call), down, state.predicted_clean);
        if (sigma_to(call) > 0.0) {
            state.latents = with_noise(state.latents, fresh_.s_noise * up, noise);
        }
    }

  private:
    FreshNoise fresh_;
};

}  // namespace

Result<std::unique_ptr<Sampler>> make_euler_ancestral(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_k_diffusion(request));
    return std::make_unique<EulerAncestral>(plan, fresh_noise(request));
}

Result<std::unique_ptr<Sampler>> make_diffusers_euler_ancestral(const SamplerRequest& request) {
    if (request.schedule != ScheduleKind::kAutomatic &&
        request.schedule != ScheduleKind::kUniform) {
        return fail(
            ErrorKind::kUnsupported,
            "EulerAncestralDiscreteScheduler has no schedule type but Uniform; \"Euler a\" has "
            "others"
        );
    }
    SamplerRequest uniform = request;
    uniform.schedule = ScheduleKind::kUniform;
    TESSERA_ASSIGN(
        const auto plan, plan_diffusers_euler(uniform, "EulerAncestralDiscreteScheduler")
    );
    return std::make_unique<EulerAncestral>(plan, FreshNoise{});
}

}  // namespace tessera
