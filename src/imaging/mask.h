#pragma once

#include "base/result.h"
#include "imaging/image.h"

#include <cstdint>
#include <vector>

namespace tessera {

/// Which pixels of a picture to repaint: 255 = all, 0 = none; rows from the top without padding.
struct Mask {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> values;

    bool operator==(const Mask&) const = default;
};

/// True when the sizes are positive and the values exactly as many as they say.
[[nodiscard]] bool is_well_formed(const Mask& mask);

/// A drawn mask, as A1111 takes one (create_binary_mask): white = repaint, by the luminance of
/// ITU-R 601. A picture with transparency is a painted layer: what is more than half opaque is
/// repainted, whatever its colour. The picture must be well-formed.
[[nodiscard]] Mask mask_from_picture(const Image& picture);

/// A mask cut out of the picture itself, as OpenAI's edits use one: transparent = repaint. An RGB
/// picture gives an empty mask. The picture must be well-formed.
[[nodiscard]] Mask mask_from_alpha(const Image& picture);

[[nodiscard]] Mask inverted(Mask mask);

/// Nothing is to be repainted.
[[nodiscard]] bool is_empty(const Mask& mask);

/// Everything is to be repainted.
[[nodiscard]] bool is_full(const Mask& mask);

/// Softened edges: a Gaussian of these sigmas in pixels (0 = none in that direction), cut off at
/// int(2.5 sigma + 0.5), mirrored at the borders; the very values of A1111, whose blur is OpenCV's
/// 8-bit GaussianBlur in its fixed-point arithmetic. kInvalidArgument when a sigma is not within
/// 0..256 or the mask is malformed.
[[nodiscard]] Result<Mask> blurred(const Mask& mask, double sigma_x, double sigma_y);

struct FittedMask {
    Mask mask;
    bool was_resized = false;  ///< worth telling the person: perhaps it is another picture's mask
};

/// The mask at the picture's size: bilinear, so that no ripple touches what was outside the mask.
/// Errors as for resize().
[[nodiscard]] Result<FittedMask> fit_mask(Mask mask, int width, int height);

/// The mask as a grey picture, and the first channel of a picture as a mask: for what is done to
/// both alike.
[[nodiscard]] Image image_from_mask(const Mask& mask);
[[nodiscard]] Mask mask_from_channel(const Image& image);

}  // namespace tessera
