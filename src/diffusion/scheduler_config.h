#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// How the training betas lie between beta_start and beta_end.
enum class BetaSchedule : std::uint8_t { kLinear, kScaledLinear, kSquaredCosCapV2 };

/// What the network's output means: the noise, v = alpha noise - sigma clean (Salimans and Ho 2022,
/// "Progressive Distillation"), or the clean latents.
enum class PredictionType : std::uint8_t { kEpsilon, kVPrediction, kSample };

/// Which training timesteps n steps visit (Lin et al. 2023, "Common Diffusion Noise Schedules and
/// Sample Steps are Flawed", table 2).
enum class TimestepSpacing : std::uint8_t { kLeading, kLinspace, kTrailing };

/// A model's scheduler/scheduler_config.json in diffusers' words; the defaults are diffusers' for
/// an absent key unless said otherwise. Whatever the file's class is, any sampler can be made from
/// it, as with diffusers' from_config.
struct SchedulerConfig {
    /// "PNDMScheduler"; may be unknown or empty.
    std::string class_name;

    int num_train_timesteps = 1000;
    double beta_start = 0.0001;
    double beta_end = 0.02;
    BetaSchedule beta_schedule = BetaSchedule::kLinear;
    /// Takes the place of beta_start, beta_end and beta_schedule unless empty.
    std::vector<double> trained_betas;
    /// Moves the last training timestep to pure noise (Lin et al. 2023, algorithm 1).
    bool rescale_betas_zero_snr = false;

    PredictionType prediction_type = PredictionType::kEpsilon;
    /// Absent: the sampler's own default (DDIM, DDPM and PNDM leading, others linspace).
    std::optional<TimestepSpacing> timestep_spacing;
    int steps_offset = 0;

    /// DDIM, PNDM: whether the step after the last timestep is noise-free or stops at timestep 0.
    /// Absent: the sampler's own default (DDIM yes, PNDM no).
    std::optional<bool> set_alpha_to_one;
    /// DDIM, DDPM, LCM: clamps the predicted clean latents to +-clip_sample_range. Here an absent
    /// key means no, as diffusers' latent pipelines enforce; its DDIM and DDPM classes alone say
    /// yes.
    bool clip_sample = false;
    double clip_sample_range = 1.0;

    /// For samplers that follow diffusers, when the caller names no schedule; at most one of them.
    bool use_karras_sigmas = false;
    bool use_exponential_sigmas = false;
    bool use_beta_sigmas = false;
    /// DPMSolverMultistepScheduler's and UniPCMultistepScheduler's variant; checked when one of
    /// them is made.
    std::string algorithm_type = "dpmsolver++";
    std::string solver_type = "midpoint";
    int solver_order = 2;
    bool lower_order_final = true;
    bool euler_at_final = false;
    bool predict_x0 = true;
    /// Those two and EulerDiscreteScheduler: whether the last step ends at the smallest trained
    /// sigma ("sigma_min") in place of 0 ("zero").
    bool ends_at_sigma_min = false;

    /// DDPM's variance_type, checked when it is made.
    std::string variance_type = "fixed_small";
    /// PNDM: an absent key means yes, as diffusers' latent pipelines enforce.
    bool skip_prk_steps = true;
    /// LCM: steps of the schedule that the model was distilled on, and the boundary's scaling.
    int original_inference_steps = 50;
    double timestep_scaling = 10.0;

    bool operator==(const SchedulerConfig&) const = default;

    /// Reads the file's text. Unknown keys are left alone. Names the key and what is wrong:
    /// kCorrupt (no JSON object, or a value of the wrong type), kInvalidArgument (a value out of
    /// range), kUnsupported (an option that would change pictures and that is not built).
    [[nodiscard]] static Result<SchedulerConfig> parse(std::string_view json_text);
    /// Text that parse() reads back to an equal value.
    [[nodiscard]] std::string to_json() const;
    /// The range checks of parse(), for a value made by hand.
    [[nodiscard]] Status validate() const;
};

}  // namespace tessera
