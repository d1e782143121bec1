#include "diffusion/euler_ancestral.h"

#include "diffusion/linear_combination.h"
#include "diffusion/sigma_sampler.h"

#include <algorithm>
#include <cmath>

namespace tessera {

namespace {

class EulerAncestral final : public SigmaSampler {
  public:
    EulerAncestral(const SigmaPlan& plan, double eta) : SigmaSampler(plan), eta_(eta) {}

    void step(std::size_t call, const Tensor& output, NoiseSource& noise, SamplerState& state)
        const override {
        const double from = sigma_from(call);
        const double to = sigma_to(call);
        const double fresh =
            std::min(to, eta_ * std::sqrt(to * to * (from * from - to * to) / (from * from)));
        const double down = std::sqrt(to * to - fresh * fresh);
        state.predicted_clean = predict_clean(call, output, state.latents);
        state.latents = move_towards(state.predicted_clean, down, call, state.latents);
        if (to > 0.0) {
            const Tensor drawn = noise.draw(state.latents.shape);
            state.latents = linear_combination({{1.0, state.latents}, {fresh, drawn}});
        }
    }

  private:
    double eta_;
};

}  // namespace

Result<std::unique_ptr<Sampler>> make_euler_ancestral(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_k_diffusion(request));
    return std::make_unique<EulerAncestral>(plan, request.eta.value_or(1.0));
}

Result<std::unique_ptr<Sampler>> make_diffusers_euler_ancestral(const SamplerRequest& request) {
    if (request.schedule == ScheduleKind::kKarras) {
        return fail(
            ErrorKind::kUnsupported,
            "EulerAncestralDiscreteScheduler has no Karras schedule; \"Euler a\" has"
        );
    }
    SamplerRequest without_karras = request;
    without_karras.config.use_karras_sigmas = false;
    TESSERA_ASSIGN(const auto plan, plan_diffusers_euler(without_karras));
    return std::make_unique<EulerAncestral>(plan, 1.0);
}

}  // namespace tessera
