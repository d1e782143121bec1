#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/tensor.h"

#include <array>
#include <cstddef>
#include <vector>

namespace tessera {

/// What a VAE's decoder does to a flat patch of latents, as nearly as a linear map can say it:
/// pixel = bias + sum over channels of factor * latent, for red, green and blue in -1..1.
struct LatentPreview {
    std::vector<std::array<float, 3>> factors;  ///< one row for each latent channel
    std::array<float, 3> bias{};

    [[nodiscard]] std::size_t channels() const { return factors.size(); }

    bool operator==(const LatentPreview&) const = default;
};

/// Scaled latents {n, channels, h, w} to small pictures {n, 3, h, w}, clamped to -1..1. Takes some
/// 0.1 ms for a picture of 512 x 512. Latents must be finite and have the preview's channels.
[[nodiscard]] Tensor preview_image(const Tensor& latents, const LatentPreview& preview);

/// The preview that comes nearest, in the sense of least squares with a slight ridge, to `decoded`
/// {n, 3, h * downscale, w * downscale} made smaller by averaging squares of downscale pixels,
/// each clamped to -1..1. `latents` {n, channels, h, w} are what it was decoded from.
/// kInvalidArgument for other shapes or no values, kCorrupt for values that are not finite.
[[nodiscard]] Result<LatentPreview> fit_latent_preview(
    const Tensor& latents, const Tensor& decoded, std::int64_t downscale
);

/// Pixels {n, 3, h * downscale, w * downscale} clamped to -1..1 and averaged: {n, 3, h, w}.
[[nodiscard]] Tensor average_pixels(const Tensor& decoded, std::int64_t downscale);

/// For keeping. load_latent_preview() takes any bytes: kCorrupt or kUnsupported unless they are a
/// saved preview for that many channels.
[[nodiscard]] Bytes save(const LatentPreview& preview);
[[nodiscard]] Result<LatentPreview> load_latent_preview(ByteView bytes, std::size_t channels);

}  // namespace tessera
