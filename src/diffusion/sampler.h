#pragma once

#include "base/tensor.h"
#include "diffusion/noise.h"
#include "diffusion/scheduler_config.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tessera {

/// How the noise levels between start and end are spread over the steps.
enum class ScheduleKind : std::uint8_t {
    kAutomatic,       ///< what the sampler usually goes with
    kUniform,         ///< evenly over the training timesteps
    kKarras,          ///< Karras et al. 2022, equation 5, rho 7
    kExponential,     ///< evenly in log sigma
    kSgmUniform,      ///< as uniform with one step more, without the cleanest
    kSimple,          ///< every so many training timesteps, from the noisiest down
    kDdim,            ///< every so many training timesteps, from the cleanest up
    kBeta,            ///< Lee et al. 2024, "Beta Sampling is All You Need", alpha and beta 0.6
    kKlOptimal,       ///< Sabour et al. 2024, "Align Your Steps", evenly in arctan sigma
    kAlignYourSteps,  ///< the same paper's table for Stable Diffusion 1.5
};

/// What to sample, for any sampler.
struct SamplerRequest {
    SchedulerConfig config;
    ScheduleKind schedule = ScheduleKind::kAutomatic;
    /// 1 .. config.num_train_timesteps.
    int steps = 20;
    /// Image-to-image: 0 (the picture as it is, no step at all) .. 1 (all steps). Absent: from
    /// noise alone.
    std::optional<double> strength;
    /// 0 .. 1: share of fresh noise per step in samplers that take a share (DDIM, by default 0, and
    /// k-diffusion's ancestral and stochastic ones, by default 1). The others refuse it.
    std::optional<double> eta;
    /// 0 .. 2, by default 1: factor on the fresh noise in samplers that take one (those of
    /// k-diffusion that add noise), without a change to how much noise they take away. The others
    /// refuse it.
    std::optional<double> s_noise;
};

/// One use of the network.
struct ModelCall {
    /// What the network is told; fractional where the sampler has it so.
    double timestep = 0.0;
    /// The network's input is the latents times this.
    double input_scale = 0.0;
    /// 0-based step to which the call belongs. Second-order samplers call twice per step.
    std::size_t step = 0;
    /// What the network's input is made of: signal * clean + noise * unit noise, of which the
    /// squares sum to 1.
    double signal = 0.0;
    double noise = 0.0;
    /// Its place among the sampler's calls, which sees to this.
    std::size_t index = 0;
};

/// The first latents: clean latents (image-to-image) and unit noise, each times its factor.
struct StartMix {
    double clean;
    double noise;
};

/// All that changes while sampling, for a batch of pictures {n, channels, height, width}.
struct SamplerState {
    Tensor latents;
    /// The network's idea of the clean latents at the last call; empty before the first.
    Tensor predicted_clean;
    /// Earlier results that the sampler wants back; all have the latents' shape.
    std::vector<Tensor> history;

    bool operator==(const SamplerState&) const = default;
};

/// A sampler set up for one request: an immutable plan, pure arithmetic in double per element,
/// rounded to float once per call. It works element by element, so that a picture comes out the
/// same whatever else is in its batch. Thread-safe.
class Sampler {
  public:
    Sampler(const Sampler&) = delete;
    Sampler& operator=(const Sampler&) = delete;
    virtual ~Sampler() = default;

    /// The network calls in order; for image-to-image those that remain.
    [[nodiscard]] const std::vector<ModelCall>& calls() const { return calls_; }
    /// The steps that those belong to.
    [[nodiscard]] std::size_t steps() const { return calls_.empty() ? 0 : calls_.back().step + 1; }
    [[nodiscard]] StartMix start() const { return start_; }
    /// Noise levels of all steps, also those that image-to-image skips, and where the last one
    /// ends: 0, or with some schedules a small sigma. Empty for samplers that count in timesteps.
    [[nodiscard]] const std::vector<double>& sigmas() const { return sigmas_; }

    /// How many tensors SamplerState::history holds before call `call` (0 .. calls().size()).
    [[nodiscard]] virtual std::size_t history_size([[maybe_unused]] std::size_t call) const {
        return 0;
    }

    /// Turns the state before call `call` into the state after it. `output` is the network's answer
    /// to it, with the latents' shape. Draws from `noise` in the order of the sampler that it is
    /// modelled on.
    virtual void step(
        std::size_t call, const Tensor& output, NoiseSource& noise, SamplerState& state
    ) const = 0;

  protected:
    Sampler(std::vector<ModelCall> calls, StartMix start, std::vector<double> sigmas)
        : calls_(std::move(calls)), start_(start), sigmas_(std::move(sigmas)) {
        for (std::size_t i = 0; i < calls_.size(); ++i) {
            calls_[i].index = i;
        }
    }

  private:
    std::vector<ModelCall> calls_;
    StartMix start_;
    std::vector<double> sigmas_;
};

}  // namespace tessera
