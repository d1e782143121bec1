#include "diffusion/ddim.h"

#include "diffusion/linear_combination.h"
#include "diffusion/noise_schedule.h"
#include "diffusion/sampler_request.h"
#include "diffusion/timestep_spacing.h"

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
    StartMix start;
};

class Ddim final : public Sampler {
  public:
    Ddim(Plan plan, const SamplerRequest& request)
        : Sampler(std::move(plan.calls), plan.start, {}),
          levels_(std::move(plan.levels)),
          prediction_(request.config.prediction_type),
          eta_(request.eta.value_or(0.0)) {
        if (request.config.clip_sample) {
            clip_range_ = static_cast<float>(request.config.clip_sample_range);
        }
    }

    void step(std::size_t call, const Tensor& output, NoiseSource& noise, SamplerState& state)
        const override {
        const auto [from, to] = levels_[call];
        const double signal = std::sqrt(from);
        const double spread = std::sqrt(1.0 - from);
        const Tensor& latents = state.latents;
        const bool is_epsilon = prediction_ == PredictionType::kEpsilon;

        Tensor clean =
            is_epsilon ? linear_combination({{1.0 / signal, latents}, {-spread / signal, output}})
                       : linear_combination({{signal, latents}, {-spread, output}});
        if (clip_range_) {
            for (float& value : clean.values) {
                value = std::clamp(value, -*clip_range_, *clip_range_);
            }
        }

        const double fresh =
            eta_ * std::sqrt(std::max(0.0, (1.0 - to) / (1.0 - from) * (1.0 - from / to)));
        const double direction = std::sqrt(std::max(0.0, 1.0 - to - fresh * fresh));
        // The direction points along epsilon, which v-prediction gives as a mix.
        Tensor next = is_epsilon ? linear_combination({{std::sqrt(to), clean}, {direction, output}})
                                 : linear_combination(
                                       {{std::sqrt(to), clean},
                                        {direction * signal, output},
                                        {direction * spread, latents}}
                                   );
        if (fresh > 0.0) {
            const Tensor drawn = noise.draw(next.shape);
            next = linear_combination({{1.0, next}, {fresh, drawn}});
        }
        state.latents = std::move(next);
        state.predicted_clean = std::move(clean);
    }

  private:
    std::vector<Level> levels_;
    PredictionType prediction_;
    double eta_;
    std::optional<float> clip_range_;
};

Plan make_plan(
    const SamplerRequest& request,
    const std::vector<double>& timesteps,
    const std::vector<float>& alphas
) {
    const int stride = request.config.num_train_timesteps / request.steps;
    const double last = request.config.set_alpha_to_one ? 1.0 : static_cast<double>(alphas.front());
    const auto signal_at = [&](int timestep) {
        return static_cast<double>(alphas[static_cast<std::size_t>(timestep)]);
    };
    const int first =
        request.strength ? skipped_steps_diffusers(request.steps, *request.strength) : 0;

    Plan plan{{}, {}, {0.0, 1.0}};
    for (int i = first; i < request.steps; ++i) {
        const double timestep = timesteps[static_cast<std::size_t>(i)];
        const int from = static_cast<int>(timestep);
        const int to = from - stride;
        plan.calls.push_back({timestep, 1.0, static_cast<std::size_t>(i - first)});
        plan.levels.push_back({signal_at(from), to >= 0 ? signal_at(to) : last});
    }
    if (request.strength) {
        const double signal = plan.levels.empty() ? 1.0 : plan.levels.front().from;
        plan.start = {std::sqrt(signal), std::sqrt(1.0 - signal)};
    }
    return plan;
}

}  // namespace

Result<std::unique_ptr<Sampler>> make_ddim(const SamplerRequest& request) {
    if (request.schedule != ScheduleKind::kAutomatic &&
        request.schedule != ScheduleKind::kUniform) {
        return fail(
            ErrorKind::kUnsupported,
            "DDIM steps along the training timesteps and has no Karras or exponential schedule; "
            "use automatic or uniform"
        );
    }
    TESSERA_TRY(check(request));
    TESSERA_ASSIGN(const auto schedule, NoiseSchedule::create(request.config));
    auto timesteps = spaced_timesteps(
        request.config,
        request.config.timestep_spacing.value_or(TimestepSpacing::kLeading),
        request.steps
    );
    std::transform(timesteps.begin(), timesteps.end(), timesteps.begin(), round_half_even);
    TESSERA_TRY(check_trained(timesteps.front(), request));
    return std::make_unique<Ddim>(
        make_plan(request, timesteps, schedule.alphas_cumprod()), request
    );
}

}  // namespace tessera
