#include "diffusion/lcm.h"

#include "diffusion/linear_combination.h"
#include "diffusion/noise_schedule.h"
#include "diffusion/sampler_request.h"
#include "diffusion/timestep_sampler.h"
#include "diffusion/timestep_spacing.h"

#include <cmath>

namespace tessera {

namespace {

struct Plan {
    std::vector<ModelCall> calls;
    /// Share of signal variance at each call.
    std::vector<double> alphas;
    StartMix start{};
};

class Lcm final : public TimestepSampler {
  public:
    Lcm(Plan plan, const SamplerRequest& request)
        : TimestepSampler(std::move(plan.calls), plan.start, request),
          alphas_(std::move(plan.alphas)),
          timestep_scaling_(request.config.timestep_scaling) {}

    static Plan make_plan(const TimestepPlan& timesteps, const SamplerRequest& request) {
        Plan plan;
        for (std::size_t i = timesteps.first; i < timesteps.timesteps.size(); ++i) {
            const double alpha = timesteps.alpha_at(timesteps.timesteps[i]);
            plan.calls.push_back(call_at(timesteps.timesteps[i], alpha, i - timesteps.first));
            plan.alphas.push_back(alpha);
        }
        plan.start = start_at(
            plan.alphas.empty() ? std::nullopt : std::optional(plan.alphas.front()), request
        );
        return plan;
    }

    void step(std::size_t call, const Tensor& output, NoiseSource& noise, SamplerState& state)
        const override {
        // The boundary condition of consistency models: at timestep 0 the latents as they are.
        constexpr double kDataVariance = 0.25;
        const double scaled = calls()[call].timestep * timestep_scaling_;
        const double kept = kDataVariance / (scaled * scaled + kDataVariance);
        const double taken = scaled / std::sqrt(scaled * scaled + kDataVariance);
        const Tensor predicted = predict_clean(alphas_[call], output, state.latents);
        Tensor clean = linear_combination({{taken, predicted}, {kept, state.latents}});
        if (call + 1 < calls().size()) {
            const double next = alphas_[call + 1];
            const Tensor drawn = noise.draw(clean.shape);
            state.latents =
                linear_combination({{std::sqrt(next), clean}, {std::sqrt(1.0 - next), drawn}});
        } else {
            state.latents = clean;
        }
        state.predicted_clean = std::move(clean);
    }

  private:
    std::vector<double> alphas_;
    double timestep_scaling_;
};

/// Evenly over the indices of the distillation's timesteps, from the noisiest down.
std::vector<int> distilled_timesteps(const SchedulerConfig& config, int steps) {
    const int original = config.original_inference_steps;
    const int stride = config.num_train_timesteps / original;
    std::vector<int> timesteps;
    for (int i = 0; i < steps; ++i) {
        const int index = static_cast<int>(std::floor(static_cast<double>(original) / steps * i));
        timesteps.push_back((original - index) * stride - 1);
    }
    return timesteps;
}

}  // namespace

Result<std::unique_ptr<Sampler>> make_lcm(const SamplerRequest& request) {
    TESSERA_TRY(check_uniform(request, "LCM"));
    TESSERA_TRY(check(request));
    const SchedulerConfig& config = request.config;
    if (config.original_inference_steps > config.num_train_timesteps) {
        return fail(
            ErrorKind::kInvalidArgument,
            "original_inference_steps {} are more than the model's num_train_timesteps {}",
            config.original_inference_steps,
            config.num_train_timesteps
        );
    }
    if (request.steps > config.original_inference_steps) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} steps are more than the {} that LCM can choose from (original_inference_steps); "
            "ask "
            "for fewer, usually 4 to 8",
            request.steps,
            config.original_inference_steps
        );
    }
    TESSERA_ASSIGN(const auto schedule, NoiseSchedule::create(config));
    TimestepPlan timesteps;
    timesteps.timesteps = distilled_timesteps(config, request.steps);
    timesteps.alphas = schedule.alphas_cumprod();
    if (request.strength) {
        timesteps.first =
            static_cast<std::size_t>(skipped_steps_diffusers(request.steps, *request.strength));
    }
    return std::make_unique<Lcm>(Lcm::make_plan(timesteps, request), request);
}

}  // namespace tessera
