#pragma once

#include "base/result.h"
#include "base/tensor.h"
#include "diffusion/sampler.h"

#include <span>

namespace tessera {

/// Classifier-free guidance (Ho and Salimans 2022) and what tames it.
struct Guidance {
    /// 1 leaves the negative prompt out and halves the work.
    double scale = 7.0;
    /// 0..1: how far the guided prediction is brought back to the standard deviation of the
    /// conditional one (Lin et al. 2023, "Common Diffusion Noise Schedules and Sample Steps are
    /// Flawed", section 3.4; `guidance_rescale` in diffusers).
    double rescale = 0.0;
    /// The part of the steps that is guided, 0..1: from the first step at or after `begin` to the
    /// last before `end` (Kynkäänniemi et al. 2024, "Applying Guidance in a Limited Interval"). The
    /// others take the conditional prediction as it is, at half the work.
    double begin = 0.0;
    double end = 1.0;

    bool operator==(const Guidance&) const = default;

    /// Whether step `step` (0-based) of `steps` needs an unconditional prediction.
    [[nodiscard]] bool applies_at(std::size_t step, std::size_t steps) const;
};

/// kInvalidArgument naming the field and its range.
[[nodiscard]] Status check(const Guidance& guidance);

/// One of the prompts that are joined by AND, with its weight.
struct Condition {
    double weight;
    const Tensor& prediction;
};

/// unconditional + scale * sum of weight * (prediction - unconditional), in float as the reference
/// pipelines compute it (Liu et al. 2022, "Compositional Visual Generation with Composable
/// Diffusion Models"). kInternal when shapes differ.
[[nodiscard]] Result<Tensor> guide(
    const Tensor& unconditional, std::span<const Condition> conditions, double scale
);

/// The guided prediction brought back towards the conditional one's standard deviation, picture by
/// picture: the first dimension counts pictures. kInternal when shapes differ.
[[nodiscard]] Result<Tensor> rescale_guided(
    const Tensor& guided, const Tensor& conditional, double rescale
);

}  // namespace tessera
