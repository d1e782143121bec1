#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tessera {

/// A picture in memory: 8-bit sRGB, interleaved, rows from the top without padding. Alpha, where
/// there is one, is straight (not multiplied into the colours).
struct Image {
    int width = 0;
    int height = 0;
    int channels = 3;  ///< 3 = RGB, 4 = RGBA
    std::vector<std::uint8_t> pixels;

    bool operator==(const Image&) const = default;
};

/// True when the sizes are positive, the channels 3 or 4, and the pixels exactly as many as that
/// says.
[[nodiscard]] bool is_well_formed(const Image& image);

/// The picture without alpha: composited over white, as web interfaces do with an init picture.
/// An RGB picture comes back as it is.
[[nodiscard]] Image flatten(const Image& image);

/// From a network's output: three planes of width x height values, -1 = black, 1 = white; clamped.
/// Rounds half to even, as diffusers' `(x * 255).round()` does. Not-a-number becomes black.
[[nodiscard]] Image image_from_planes(std::span<const float> rgb_chw, int width, int height);

/// To a network's input: three planes, -1..1. Alpha is composited over white (see flatten).
[[nodiscard]] std::vector<float> planes_from_image(const Image& image);

}  // namespace tessera
