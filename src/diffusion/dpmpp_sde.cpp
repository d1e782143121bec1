#include "diffusion/dpmpp_sde.h"

#include "diffusion/ancestral_step.h"
#include "diffusion/sigma_sampler.h"

#include <cmath>

namespace tessera {

namespace {

std::optional<double> middle_of_step(double from, double to) {
    return to > 0.0 ? std::optional(std::sqrt(from * to)) : std::nullopt;
}

/// Between the two calls of a step the history holds the step's first latents.
class DpmppSde final : public SigmaSampler {
  public:
    DpmppSde(const SigmaPlan& plan, FreshNoise fresh)
        : SigmaSampler(plan, middle_of_step), fresh_(fresh) {}

    [[nodiscard]] std::size_t history_size(std::size_t call) const override {
        return is_second(call) ? 1 : 0;
    }

    void step(std::size_t call, const Tensor& output, NoiseSource& noise, SamplerState& state)
        const override {
        const double from = sigma_from(call);
        const double to = has_second(call) ? sigma_at(call + 1) : sigma_to(call);
        const auto [down, up] = ancestral_step(from, to, fresh_.eta);
        Tensor clean = predict_clean(call, output, state.latents);
        const Tensor& begin = is_second(call) ? state.history.front() : state.latents;
        Tensor next = move(begin, from, down, clean);
        if (up > 0.0) {
            next = with_noise(next, fresh_.s_noise * up, noise);
        }
        if (has_second(call)) {
            state.history = {std::move(state.latents)};
        } else {
            state.history.clear();
        }
        state.latents = std::move(next);
        state.predicted_clean = std::move(clean);
    }

  private:
    FreshNoise fresh_;
};

}  // namespace

Result<std::unique_ptr<Sampler>> make_dpmpp_sde(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_k_diffusion(request, ScheduleKind::kKarras));
    return std::make_unique<DpmppSde>(plan, fresh_noise(request));
}

Result<std::unique_ptr<Sampler>> make_diffusers_dpm_sde(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_diffusers_euler(request, "DPMSolverSDEScheduler"));
    return std::make_unique<DpmppSde>(plan, FreshNoise{1.0, request.s_noise.value_or(1.0)});
}

}  // namespace tessera
