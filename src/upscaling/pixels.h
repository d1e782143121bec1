#pragma once

#include "base/result.h"
#include "base/tensor.h"
#include "imaging/image.h"

namespace tessera {

/// An RGB picture as an upscaler's input: {1, 3, height, width} in 0..1.
[[nodiscard]] Tensor to_unit_planes(const Image& rgb);

/// Back, clamped and rounded. kCorrupt when a value is not a number.
[[nodiscard]] Result<Image> from_unit_planes(const Tensor& planes);

/// The picture with its last column and row repeated until both sizes are multiples of `multiple`.
[[nodiscard]] Image pad_to_multiple(Image image, int multiple);

/// Colours alone, and alpha alone as a grey picture. Both of an RGBA picture.
[[nodiscard]] Image colours_of(const Image& rgba);
[[nodiscard]] Image alpha_of(const Image& rgba);
/// Joins them again; the sizes are equal.
[[nodiscard]] Image with_alpha(const Image& rgb, const Image& grey);

}  // namespace tessera
