#pragma once

#include "base/result.h"
#include "imaging/image.h"
#include "imaging/mask.h"

#include <optional>

namespace tessera {

/// A rectangle of pixels; right and bottom are the first ones outside.
struct Region {
    int left = 0;
    int top = 0;
    int right = 0;
    int bottom = 0;

    [[nodiscard]] int width() const { return right - left; }
    [[nodiscard]] int height() const { return bottom - top; }
    bool operator==(const Region&) const = default;
};

/// kInvalidArgument when the region is empty or reaches outside of a picture of this size.
[[nodiscard]] Status check_region(const Region& region, int width, int height);

/// The smallest region that holds all of the mask that is not 0, grown by `padding` pixels on each
/// side as far as the mask reaches (A1111: get_crop_region_v2). Nothing when the mask is empty. A
/// negative padding counts as 0.
[[nodiscard]] std::optional<Region> crop_region(const Mask& mask, int padding);

/// The region grown in one direction to the aspect it will be processed in, moved or cut where it
/// would leave the picture (A1111: expand_crop_region, number for number). The region must lie in
/// the picture, be at least one pixel large, and all sizes positive.
[[nodiscard]] Region expand_crop_region(
    const Region& region,
    int processing_width,
    int processing_height,
    int picture_width,
    int picture_height
);

/// The part of the picture or mask inside the region. Errors as for
/// check_region().
[[nodiscard]] Result<Image> crop(const Image& image, const Region& region);
[[nodiscard]] Result<Mask> crop(const Mask& mask, const Region& region);

}  // namespace tessera
