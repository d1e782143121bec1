#pragma once

#include "base/result.h"
#include "imaging/image.h"
#include "imaging/mask.h"
#include "imaging/mask_region.h"

namespace tessera {

/// The rendered picture over the original: where the mask is 0 the original's pixels come out byte
/// for byte, where it is 255 the rendered ones (opaque), between them a mix. The result has the
/// original's channels. kInvalidArgument when the three are not of one size, or one is malformed.
[[nodiscard]] Result<Image> composite(
    const Image& original, const Image& rendered, const Mask& mask
);

/// The same for a rendered region ("only masked"): the rendered picture, of any size, is first
/// scaled to cover the region, then cut to it (A1111's uncrop). `mask` has the original's size;
/// outside the region the original stays whatever the mask says. Errors as above, and
/// kInvalidArgument when the region is not inside the picture.
[[nodiscard]] Result<Image> composite_region(
    const Image& original, const Image& rendered, const Mask& mask, const Region& region
);

/// The mask for composite() when the whole picture was rendered, from the blurred one: doubled, so
/// that blurring reaches outwards only (A1111's mask_for_overlay). For a rendered region A1111
/// takes the blurred mask itself.
[[nodiscard]] Mask overlay_mask(Mask blurred);

}  // namespace tessera
