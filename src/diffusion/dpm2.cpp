#include "diffusion/dpm2.h"

#include "diffusion/ancestral_step.h"
#include "diffusion/linear_combination.h"
#include "diffusion/sigma_sampler.h"

namespace tessera {

namespace {

enum class Draws : std::uint8_t { kPerStep, kPerCall };

constexpr FreshNoise kNoFreshNoise{0.0, 0.0};

/// Between the two calls of a step the history holds the step's first latents.
class Dpm2 final : public SigmaSampler {
  public:
    Dpm2(const SigmaPlan& plan, FreshNoise fresh, Draws draws)
        : SigmaSampler(
              plan, [fresh](double from, double to) { return halfway_down(from, to, fresh.eta); }
          ),
          fresh_(fresh),
          draws_(draws) {}

    [[nodiscard]] std::size_t history_size(std::size_t call) const override {
        return is_second(call) ? 1 : 0;
    }

    void step(std::size_t call, const Tensor& output, NoiseSource& noise, SamplerState& state)
        const override {
        const double from = sigma_from(call);
        const auto [down, up] = ancestral_step(from, sigma_to(call), fresh_.eta);
        Tensor clean = predict_clean(call, output, state.latents);
        if (is_second(call)) {
            const double way = (down - from) / sigma_at(call);
            state.latents = linear_combination(
                {{1.0, state.history.front()}, {way, state.latents}, {-way, clean}}
            );
            state.history.clear();
            if (up > 0.0) {
                state.latents = with_noise(state.latents, fresh_.s_noise * up, noise);
            }
        } else if (has_second(call)) {
            Tensor halfway = move(state.latents, from, sigma_at(call + 1), clean);
            state.history = {std::move(state.latents)};
            state.latents = std::move(halfway);
            if (draws_ == Draws::kPerCall) {
                static_cast<void>(noise.draw(clean.shape));
            }
        } else {
            state.latents = move(state.latents, from, down, clean);
        }
        state.predicted_clean = std::move(clean);
    }

  private:
    FreshNoise fresh_;
    Draws draws_;
};

Result<std::unique_ptr<Sampler>> make(
    const SamplerRequest& request, PenultimateSigma penultimate, FreshNoise fresh
) {
    TESSERA_ASSIGN(const auto plan, plan_k_diffusion(request, ScheduleKind::kKarras, penultimate));
    return std::make_unique<Dpm2>(plan, fresh, Draws::kPerStep);
}

}  // namespace

Result<std::unique_ptr<Sampler>> make_dpm2(const SamplerRequest& request) {
    return make(request, PenultimateSigma::kDiscarded, kNoFreshNoise);
}

Result<std::unique_ptr<Sampler>> make_sample_dpm_2(const SamplerRequest& request) {
    return make(request, PenultimateSigma::kKept, kNoFreshNoise);
}

Result<std::unique_ptr<Sampler>> make_dpm2_ancestral(const SamplerRequest& request) {
    return make(request, PenultimateSigma::kDiscarded, fresh_noise(request));
}

Result<std::unique_ptr<Sampler>> make_sample_dpm_2_ancestral(const SamplerRequest& request) {
    return make(request, PenultimateSigma::kKept, fresh_noise(request));
}

Result<std::unique_ptr<Sampler>> make_diffusers_kdpm2(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_diffusers_euler(request, "KDPM2DiscreteScheduler"));
    return std::make_unique<Dpm2>(plan, kNoFreshNoise, Draws::kPerStep);
}

Result<std::unique_ptr<Sampler>> make_diffusers_kdpm2_ancestral(const SamplerRequest& request) {
    TESSERA_ASSIGN(
        const auto plan, plan_diffusers_euler(request, "KDPM2AncestralDiscreteScheduler")
    );
    return std::make_unique<Dpm2>(plan, FreshNoise{}, Draws::kPerCall);
}

}  // namespace tessera
