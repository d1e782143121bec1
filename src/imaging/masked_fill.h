#pragma once

#include "base/result.h"
#include "imaging/image.h"
#include "imaging/mask.h"

namespace tessera {

/// The picture with what is masked painted over in the colours around it, ever more blurred with
/// the distance: A1111's masked content "fill", in the very arithmetic of modules/masking.py and
/// Pillow. Under a full mask nothing is left to take colours from: black. The result is RGB (alpha
/// is composited over white first, as A1111 does). kInvalidArgument when the sizes differ or
/// either is malformed.
[[nodiscard]] Result<Image> fill_masked(const Image& image, const Mask& mask);

}  // namespace tessera
