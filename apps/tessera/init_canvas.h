#pragma once

#include "base/result.h"
#include "imaging/image.h"
#include "imaging/mask.h"
#include "imaging/mask_region.h"
#include "tessera/init_picture.h"
#include "tessera/recipe.h"

#include <optional>
#include <string>

namespace tessera::cli {

/// What image-to-image begins with, and what its result goes into.
struct InitCanvas {
    /// Both of the size that is rendered; the mask with inpainting alone.
    Image picture;
    std::optional<Mask> mask;

    /// With inpainting: what stays around the painted part.
    struct Surroundings {
        Image picture;
        Mask overlay;                  ///< 255 where the rendered picture shows
        std::optional<Region> region;  ///< that was rendered; else all of it
    };
    std::optional<Surroundings> surroundings;
};

/// Sets up the canvas that the recipe describes. `mask` is the drawn one, if there is one; else the
/// init picture's transparency counts, or with recipe.outpaint the new part.
[[nodiscard]] Result<InitCanvas> make_init_canvas(
    const Image& init, const std::optional<Mask>& mask, const Recipe& recipe
);

/// The rendered picture, of any size, where it belongs.
[[nodiscard]] Result<Image> put_back(const InitCanvas& canvas, Image rendered);

/// The size of the init picture, with recipe.outpaint of the extended one.
[[nodiscard]] Result<PictureSize> canvas_size(
    const Image& init, const std::optional<CanvasExtension>& outpaint
);

}  // namespace tessera::cli
