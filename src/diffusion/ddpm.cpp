#include "diffusion/ddpm.h"

#include "diffusion/linear_combination.h"
#include "diffusion/timestep_sampler.h"

#include <algorithm>
#include <cmath>

namespace tessera {

namespace {

/// One step: the signal's share of variance before it, and what the latents after it are made of.
struct Step {
    double alpha;
    double clean;
    double latents;
    double noise;
};

struct Plan {
    std::vector<ModelCall> calls;
    std::vector<Step> steps;
    StartMix start{};
};

class Ddpm final : public TimestepSampler {
  public:
    Ddpm(Plan plan, const SamplerRequest& request)
        : TimestepSampler(std::move(plan.calls), plan.start, request),
          steps_(std::move(plan.steps)) {}

    static Plan make_plan(
        const TimestepPlan& timesteps, const SamplerRequest& request, bool large_variance
    ) {
        const int stride = request.config.num_train_timesteps / request.steps;
        Plan plan;
        for (std::size_t i = timesteps.first; i < timesteps.timesteps.size(); ++i) {
            const int timestep = timesteps.timesteps[i];
            const double from = timesteps.alpha_at(timestep);
            const double to = timestep >= stride ? timesteps.alpha_at(timestep - stride) : 1.0;
            const double beta = 1.0 - from / to;
            const double variance = large_variance ? beta : (1.0 - to) / (1.0 - from) * beta;
            plan.calls.push_back(call_at(timestep, from, i - timesteps.first));
            plan.steps.push_back(
                {from,
                 std::sqrt(to) * beta / (1.0 - from),
                 std::sqrt(from / to) * (1.0 - to) / (1.0 - from),
                 timestep > 0 ? std::sqrt(variance) : 0.0}
            );
        }
        plan.start = start_at(
            plan.steps.empty() ? std::nullopt : std::optional(plan.steps.front().alpha), request
        );
        return plan;
    }

    void step(std::size_t call, const Tensor& output, NoiseSource& noise, SamplerState& state)
        const override {
        const Step& now = steps_[call];
        Tensor clean = predict_clean(now.alpha, output, state.latents);
        std::vector<Addend> sum{{now.clean, clean}, {now.latents, state.latents}};
        const bool draws = now.noise > 0.0;
        const Tensor drawn = draws ? noise.draw(state.latents.shape) : Tensor{};
        if (draws) {
            sum.push_back({now.noise, drawn});
        }
        state.latents = linear_combination(sum);
        state.predicted_clean = std::move(clean);
    }

  private:
    std::vector<Step> steps_;
};

}  // namespace

Result<std::unique_ptr<Sampler>> make_ddpm(const SamplerRequest& request) {
    const std::string& variance = request.config.variance_type;
    if (variance != "fixed_small" && variance != "fixed_small_log" && variance != "fixed_large") {
        return fail(
            ErrorKind::kUnsupported,
            "DDPM with variance_type {} is not supported; fixed_small and fixed_large are",
            variance
        );
    }
    TESSERA_ASSIGN(const auto timesteps, plan_timesteps(request, "DDPM"));
    return std::make_unique<Ddpm>(
        Ddpm::make_plan(timesteps, request, variance == "fixed_large"), request
    );
}

}  // namespace tessera
