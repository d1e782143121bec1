#pragma once

#include "base/result.h"
#include "imaging/image.h"

#include <cstdint>

namespace tessera {

/// The kernel that weighs a result's neighbours; Pillow's filters of these names.
enum class Resampling : std::uint8_t {
    kLanczos,   ///< three lobes: the sharpest
    kBicubic,   ///< a = -0.5
    kBilinear,  ///< never leaves the range of its neighbours
};

/// The picture at another size: by default Lanczos with three lobes, widened when shrinking, in the
/// fixed-point arithmetic of Pillow (libImaging/Resample.c), so that an init picture reaches the
/// network with the very values that diffusers and A1111 give it. (libvips enlarges bicubically and
/// shrinks in two stages.) RGBA is resized with its colours multiplied by alpha. kInvalidArgument
/// when a size is not positive, kExhausted when the result has more than 2^28 pixels.
[[nodiscard]] Result<Image> resize(
    const Image& image, int width, int height, Resampling resampling = Resampling::kLanczos
);

/// Scaled to cover width x height, then cut to it around the centre, as A1111's "crop and resize".
/// Only the part that stays is computed. Errors as for resize.
[[nodiscard]] Result<Image> crop_to_fill(const Image& image, int width, int height);

}  // namespace tessera
