#include "diffusion/dpmpp_2s_ancestral.h"

#include "diffusion/ancestral_step.h"
#include "diffusion/sigma_sampler.h"

namespace tessera {

namespace {

/// Between the two calls of a step the history holds the step's first latents.
class Dpmpp2sAncestral final : public SigmaSampler {
  public:
    Dpmpp2sAncestral(const SigmaPlan& plan, FreshNoise fresh)
        : SigmaSampler(
              plan, [fresh](double from, double to) { return halfway_down(from, to, fresh.eta); }
          ),
          fresh_(fresh) {}

    [[nodiscard]] std::size_t history_size(std::size_t call) const override {
        return is_second(call) ? 1 : 0;
    }

    void step(std::size_t call, const Tensor& output, NoiseSource& noise, SamplerState& state)
        const override {
        const double from = sigma_from(call);
        const auto [down, up] = ancestral_step(from, sigma_to(call), fresh_.eta);
        Tensor clean = predict_clean(call, output, state.latents);
        if (has_second(call)) {
            Tensor halfway = move(state.latents, from, sigma_at(call + 1), clean);
            state.history = {std::move(state.latents)};
            state.latents = std::move(halfway);
        } else {
            const Tensor& begin = is_second(call) ? state.history.front() : state.latents;
            Tensor next = move(begin, from, down, clean);
            state.latents =
                up > 0.0 ? with_noise(next, fresh_.s_noise * up, noise) : std::move(next);
            state.history.clear();
        }
        state.predicted_clean = std::move(clean);
    }

  private:
    FreshNoise fresh_;
};

}  // namespace

Result<std::unique_ptr<Sampler>> make_dpmpp_2s_ancestral(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_k_diffusion(request, ScheduleKind::kKarras));
    return std::make_unique<Dpmpp2sAncestral>(plan, fresh_noise(request));
}

}  // namespace tessera
