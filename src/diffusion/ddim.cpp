#include "diffusion/ddim.h"

#include "diffusion/linear_combination.h"
#include "diffusion/timestep_sampler.h"

#include <algorithm>
#include <cmath>

namespace tessera {

namespace {

/// Shares of signal variance (alpha_bar) before and after one step.
struct Level {
    double from;
    double to;
};

struct Plan {
    std::vector<ModelCall> calls;
    std::vector<Level> levels;
    StartMix start{};
};

class Ddim final : public TimestepSampler {
  public:
    Ddim(Plan plan, const SamplerRequest& request)
        : TimestepSampler(std::move(plan.calls), plan.start, request),
          levels_(std::move(plan.levels)),
          eta_(request.eta.value_or(0.0)) {}

    static Plan make_plan(const TimestepPlan& timesteps, const SamplerRequest& request) {
        const int stride = request.config.num_train_timesteps / request.steps;
        const double last =
            request.config.set_alpha_to_one.value_or(true) ? 1.0 : timesteps.alpha_at(0);
        Plan plan;
        for (std::size_t i = timesteps.first; i < timesteps.timesteps.size(); ++i) {
            const int from = timesteps.timesteps[i];
            const int to = from - stride;
            const Level level{timesteps.alpha_at(from), to >= 0 ? timesteps.alpha_at(to) : last};
            plan.calls.push_back(call_at(from, level.from, i - timesteps.first));
            plan.levels.push_back(level);
        }
        plan.start = start_at(
            plan.levels.empty() ? std::nullopt : std::optional(plan.levels.front().from), request
        );
        return plan;
    }

    void step(std::size_t call, const Tensor& output, NoiseSource& noise, SamplerState& state)
        const override {
        const auto [from, to] = levels_[call];
        Tensor clean = predict_clean(from, output, state.latents);
        const double fresh =
            eta_ * std::sqrt(std::max(0.0, (1.0 - to) / (1.0 - from) * (1.0 - from / to)));
        const double direction = std::sqrt(std::max(0.0, 1.0 - to - fresh * fresh));
        // The direction points along the noise as the network sees it, clipped or not.
        const auto shares = noise_shares(from);
        std::vector<Addend> sum{
            {std::sqrt(to), clean},
            {direction * shares.output, output},
            {direction * shares.latents, state.latents}};
        const bool draws = fresh > 0.0;
        const Tensor drawn = draws ? noise.draw(state.latents.shape) : Tensor{};
        if (draws) {
            sum.push_back({fresh, drawn});
        }
        state.latents = linear_combination(sum);
        state.predicted_clean = std::move(clean);
    }

  private:
    std::vector<Level> levels_;
    double eta_;
};

}  // namespace

Result<std::unique_ptr<Sampler>> make_ddim(const SamplerRequest& request) {
    TESSERA_ASSIGN(const auto timesteps, plan_timesteps(request, "DDIM"));
    return std::make_unique<Ddim>(Ddim::make_plan(timesteps, request), request);
}

}  // namespace tessera
