#pragma once

#include "base/result.h"
#include "base/tensor.h"
#include "diffusion/sampler.h"

namespace tessera {

/// A part of the pictures that stays as it was while the rest is painted anew: inpainting with a
/// model that knows nothing of masks.
struct KeptLatents {
    /// Clean latents {pictures, channels, height, width}.
    Tensor clean;
    /// {1, 1, height, width}, for all pictures and channels: 0 (keep) .. 1 (repaint).
    Tensor mask;
    /// The unit noise that the pictures started from, of the shape of `clean`.
    Tensor noise;

    bool operator==(const KeptLatents&) const = default;
};

/// kInvalidArgument when the shapes do not belong together or a value is out of its range.
[[nodiscard]] Status check(const KeptLatents& kept);

/// mask * repainted + (1 - mask) * kept; where the mask is 0 or 1 the one or the other to the bit.
[[nodiscard]] Tensor blend(const Tensor& repainted, const Tensor& kept, const Tensor& mask);

/// The network's output blended with the one that would have told the kept latents exactly: what
/// blending the predicted clean latents amounts to (A1111's CFGDenoiser). For samplers of
/// k-diffusion's convention. `input` is what the network was given at `call`.
[[nodiscard]] Tensor keep_in_output(
    const Tensor& output,
    const Tensor& input,
    const ModelCall& call,
    PredictionType prediction,
    const KeptLatents& kept
);

/// The latents before `next` with the kept ones at that call's noise level blended in, as
/// diffusers' inpainting pipeline does after each step.
[[nodiscard]] Tensor keep_in_latents(
    const Tensor& latents, const ModelCall& next, const KeptLatents& kept
);

}  // namespace tessera
