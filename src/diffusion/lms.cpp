#include "diffusion/lms.h"

#include "diffusion/linear_combination.h"
#include "diffusion/sigma_sampler.h"

#include <algorithm>
#include <numbers>

namespace tessera {

namespace {

constexpr std::size_t kOrder = 4;

/// The history holds the last slopes (latents - clean) / sigma, the newest first.
class Lms final : public SigmaSampler {
  public:
    explicit Lms(const SigmaPlan& plan) : SigmaSampler(plan) {}

    [[nodiscard]] std::size_t history_size(std::size_t call) const override {
        return std::min(call, kOrder - 1);
    }

    void step(
        std::size_t call,
        const Tensor& output,
        [[maybe_unused]] NoiseSource& noise,
        SamplerState& state
    ) const override {
        const double sigma = sigma_from(call);
        state.predicted_clean = predict_clean(call, output, state.latents);
        Tensor slope =
            linear_combination({{1.0 / sigma, state.latents}, {-1.0 / sigma, state.predicted_clean}}
            );
        state.history.insert(state.history.begin(), std::move(slope));
        std::vector<Addend> sum{{1.0, state.latents}};
        for (std::size_t i = 0; i < state.history.size(); ++i) {
            sum.push_back({share(call, i, state.history.size()), state.history[i]});
        }
        state.latents = linear_combination(sum);
        state.history.resize(history_size(call + 1));
    }

  private:
    /// The integral over the step of the polynomial that is 1 at the `back`-th last of `order`
    /// sigmas and 0 at the others; exact, since Gauss' rule of two points is up to degree 3.
    [[nodiscard]] double share(std::size_t call, std::size_t back, std::size_t order) const {
        const double middle = 0.5 * (sigma_to(call) + sigma_from(call));
        const double half = 0.5 * (sigma_to(call) - sigma_from(call));
        const double offset = half * std::numbers::inv_sqrt3;
        double integral = 0.0;
        for (const double sigma : {middle - offset, middle + offset}) {
            double value = half;
            for (std::size_t i = 0; i < order; ++i) {
                if (i != back) {
                    value *= (sigma - sigma_from(call - i)) /
                             (sigma_from(call - back) - sigma_from(call - i));
                }
            }
            integral += value;
        }
        return integral;
    }
};

}  // namespace

Result<std::unique_ptr<Sampler>> make_lms(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_k_diffusion(request));
    return std::make_unique<Lms>(plan);
}

Result<std::unique_ptr<Sampler>> make_diffusers_lms(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto plan, plan_diffusers_euler(request, "LMSDiscreteScheduler"));
    return std::make_unique<Lms>(plan);
}

}  // namespace tessera
