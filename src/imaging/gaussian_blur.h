#pragma once

#include "imaging/image.h"

namespace tessera {

/// The picture blurred as by Pillow's ImageFilter.GaussianBlur, value for value: three box blurs
/// (libImaging/BoxBlur.c) that come near a Gaussian of this sigma, 0 to 10000. Pixels of the border
/// go on outwards. All channels alike: multiply colours by alpha first where that matters. The
/// picture must be well-formed.
[[nodiscard]] Image gaussian_blurred(Image image, float sigma);

}  // namespace tessera
