#pragma once

#include "base/result.h"
#include "imaging/mask.h"

#include <cstdint>
#include <vector>

namespace tessera {

/// How a mask comes to the size of latents. Both give 0 (keep) or 1 (repaint) only.
enum class MaskShrinking : std::uint8_t {
    /// A1111's: resized bicubically, then rounded, so a latent follows most of its pixels.
    kResizedThenRounded,
    /// diffusers': rounded first, then each latent takes the top left of its pixels
    /// (VaeImageProcessor's binarize, then torch's nearest interpolation).
    kRoundedThenNearest,
};

/// Row-major, (height / downscale) x (width / downscale) values. kInvalidArgument when the sides
/// are no multiples of `downscale` (the VAE's factor, 8) or the mask is malformed.
[[nodiscard]] Result<std::vector<float>> shrink_to_latents(
    const Mask& mask, int downscale, MaskShrinking shrinking
);

}  // namespace tessera
