#include "diffusion/pndm.h"

#include "diffusion/linear_combination.h"
#include "diffusion/timestep_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tessera {

namespace {

/// One call: the signal's shares of variance between which it takes the latents.
struct Level {
    double from;
    double to;
};

struct Plan {
    std::vector<ModelCall> calls;
    std::vector<Level> levels;
    StartMix start{};
};

constexpr std::size_t kOrder = 4;

/// Adams-Bashforth weights by how many outputs there are, the newest first.
constexpr std::array<std::array<double, kOrder>, kOrder> kWeights{{
    {1.0, 0.0, 0.0, 0.0},
    {3.0 / 2.0, -1.0 / 2.0, 0.0, 0.0},
    {23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0, 0.0},
    {55.0 / 24.0, -59.0 / 24.0, 37.0 / 24.0, -9.0 / 24.0},
}};

/// The history holds the last outputs of the network, the newest first, but for that of the first
/// step's second call; and before that call, behind them, the first latents.
class Pndm final : public TimestepSampler {
  public:
    Pndm(Plan plan, const SamplerRequest& request)
        : TimestepSampler(std::move(plan.calls), plan.start, request),
          levels_(std::move(plan.levels)) {}

    static Plan make_plan(const TimestepPlan& timesteps, const SamplerRequest& request) {
        const int stride = request.config.num_train_timesteps / request.steps;
        const double last =
            request.config.set_alpha_to_one.value_or(false) ? 1.0 : timesteps.alpha_at(0);
        const auto alpha_after = [&](int timestep) {
            return timestep >= stride ? timesteps.alpha_at(timestep - stride) : last;
        };
        const std::vector<int> told = told_timesteps(timesteps);
        Plan plan;
        for (std::size_t i = 0; i < told.size(); ++i) {
            const double alpha = timesteps.alpha_at(told[i]);
            plan.calls.push_back(call_at(told[i], alpha, i == 0 ? 0 : i - 1));
            if (i == 1) {
                const int before =
                    std::min(told[i] + stride, request.config.num_train_timesteps - 1);
                plan.levels.push_back({timesteps.alpha_at(before), alpha});
            } else {
                plan.levels.push_back({alpha, alpha_after(told[i])});
            }
        }
        plan.start = start_at(
            plan.levels.empty() ? std::nullopt : std::optional(plan.levels.front().from), request
        );
        return plan;
    }

    [[nodiscard]] std::size_t history_size(std::size_t call) const override {
        return call < 2 ? 2 * call : std::min(call - 1, kOrder - 1);
    }

    void step(
        std::size_t call,
        const Tensor& output,
        [[maybe_unused]] NoiseSource& noise,
        SamplerState& state
    ) const override {
        auto& history = state.history;
        Tensor mean;
        Tensor begin = state.latents;
        if (call == 1) {
            mean = linear_combination({{0.5, output}, {0.5, history.front()}});
            begin = std::move(history.back());
            history.pop_back();
        } else {
            history.insert(history.begin(), output);
            mean = multistep_mean(history);
        }
        const auto [from, to] = levels_[call];
        state.predicted_clean = predict_clean(from, mean, begin);
        state.latents = transfer(from, to, mean, state.predicted_clean, begin);
        if (call == 0) {
            history.push_back(std::move(begin));
        }
        history.resize(history_size(call + 1));
    }

  private:
    /// Image-to-image cuts diffusers' own list, in which the second timestep stands twice.
    static std::vector<int> told_timesteps(const TimestepPlan& plan) {
        if (plan.first == plan.timesteps.size()) {
            return {};
        }
        std::vector<int> told = plan.timesteps;
        if (told.size() > 1) {
            told.insert(told.begin() + 1, told[1]);
        }
        told.erase(told.begin(), told.begin() + static_cast<std::ptrdiff_t>(plan.first));
        return told;
    }

    static Tensor multistep_mean(const std::vector<Tensor>& outputs) {
        const auto& weights = kWeights[outputs.size() - 1];
        std::vector<Addend> sum;
        sum.reserve(outputs.size());
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            sum.push_back({weights[i], outputs[i]});
        }
        return linear_combination(sum);
    }

    /// The paper's equation 9, which is a deterministic step of DDIM.
    [[nodiscard]] Tensor transfer(
        double from, double to, const Tensor& output, const Tensor& clean, const Tensor& latents
    ) const {
        const auto shares = noise_shares(from);
        const double spread = std::sqrt(1.0 - to);
        return linear_combination(
            {{std::sqrt(to), clean},
             {spread * shares.output, output},
             {spread * shares.latents, latents}}
        );
    }

    std::vector<Level> levels_;
};

}  // namespace

Result<std::unique_ptr<Sampler>> make_pndm(const SamplerRequest& request) {
    if (!request.config.skip_prk_steps) {
        return fail(
            ErrorKind::kUnsupported,
            "PNDM with Runge-Kutta steps (skip_prk_steps false) is not supported"
        );
    }
    SamplerRequest without_clip = request;
    without_clip.config.clip_sample = false;
    TESSERA_ASSIGN(const auto timesteps, plan_timesteps(request, "PNDM"));
    return std::make_unique<Pndm>(Pndm::make_plan(timesteps, request), without_clip);
}

}  // namespace tessera
