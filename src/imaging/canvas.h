#pragma once

#include "base/result.h"
#include "imaging/image.h"
#include "imaging/mask.h"
#include "imaging/mask_region.h"

namespace tessera {

/// How far a picture is to grow on each side, in pixels.
struct CanvasExtension {
    int left = 0;
    int top = 0;
    int right = 0;
    int bottom = 0;
    /// The new sides become multiples of this. What that adds goes to the side that grows, or half
    /// to each where both or neither do.
    int multiple = 8;
    /// So many pixels of the old picture next to the new part are repainted too, ever less with
    /// the distance, so that no seam shows.
    int feather = 0;

    bool operator==(const CanvasExtension&) const = default;
};

struct ExtendedCanvas {
    Image picture;  ///< RGB, with something to begin from in the new part
    Mask mask;      ///< 255 on the new part, falling to 0 over the feather
    Region old;     ///< where the old picture lies now
};

/// Outpainting as inpainting: the larger picture and the mask of what is to be painted. The new
/// part holds the border's colours, drawn outwards and ever more blurred, so that rendering from it
/// works with any strength; fill_masked() may still replace them. Alpha is composited over white.
/// kInvalidArgument when a number is negative, none of the sides grows, the multiple is not
/// within 1..512 or the picture is malformed; kExhausted beyond 16384 pixels a side or 2^26 in all.
[[nodiscard]] Result<ExtendedCanvas> extend_canvas(
    const Image& image, const CanvasExtension& extension
);

}  // namespace tessera
