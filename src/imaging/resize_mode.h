#pragma once

#include "base/result.h"
#include "imaging/image.h"
#include "imaging/mask.h"

#include <cstdint>

namespace tessera {

/// What to do with a picture of another shape; numbers and meaning are A1111's `resize_mode`.
/// (3, "latent upscale", is not done to pixels.)
enum class ResizeMode : std::uint8_t {
    kJustResize = 0,     ///< stretched
    kCropAndResize = 1,  ///< scaled to cover, cut around the centre
    kResizeAndFill = 2,  ///< scaled to fit, bars on two sides filled from the border
};

/// The picture at this size, with Pillow's Lanczos (see resize()) as A1111's modules/images.py;
/// where an odd difference makes that leave one black line, the fill goes on. Errors as for
/// resize().
[[nodiscard]] Result<Image> resize_by_mode(
    const Image& image, ResizeMode mode, int width, int height
);

/// The mask that belongs to a picture resized in that mode.
[[nodiscard]] Result<Mask> resize_by_mode(const Mask& mask, ResizeMode mode, int width, int height);

}  // namespace tessera
