#include "imaging/mask_region.h"

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace tessera {
namespace {

/// One axis of a region: [first, last).
struct Interval {
    int first;
    int last;
};

/// Grown by `growth` in the middle, then moved inside [0, limit), then cut to it: the order, and
/// with it the outcome at the borders, is A1111's.
Interval grown(Interval interval, int growth, int limit) {
    interval.first -= growth / 2;
    interval.last += growth - growth / 2;
    if (interval.last >= limit) {
        interval.first -= interval.last - limit;
        interval.last = limit;
    }
    if (interval.first < 0) {
        interval.last -= interval.first;
        interval.first = 0;
    }
    return {interval.first, std::min(interval.last, limit)};
}

/// Region of rows of `channels` bytes a pixel.
std::vector<std::uint8_t> cut(
    const std::vector<std::uint8_t>& pixels, int width, int channels, const Region& region
) {
    std::vector<std::uint8_t> out;
    out.reserve(
        static_cast<std::size_t>(region.width()) * static_cast<std::size_t>(region.height()) *
        static_cast<std::size_t>(channels)
    );
    for (int y = region.top; y < region.bottom; ++y) {
        const auto row = static_cast<std::ptrdiff_t>(y) * width;
        out.insert(
            out.end(),
            pixels.begin() + (row + region.left) * channels,
            pixels.begin() + (row + region.right) * channels
        );
    }
    return out;
}

}  // namespace

Status check_region(const Region& region, int width, int height) {
    if (region.left < 0 || region.top < 0 || region.right > width || region.bottom > height ||
        region.left >= region.right || region.top >= region.bottom) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the region {},{} to {},{} is no part of a picture of {}x{}",
            region.left,
            region.top,
            region.right,
            region.bottom,
            width,
            height
        );
    }
    return {};
}

std::optional<Region> crop_region(const Mask& mask, int padding) {
    assert(is_well_formed(mask));
    Region region{mask.width, mask.height, 0, 0};
    std::size_t at = 0;
    for (int y = 0; y < mask.height; ++y) {
        for (int x = 0; x < mask.width; ++x) {
            if (mask.values[at++] != 0) {
                region.left = std::min(region.left, x);
                region.top = std::min(region.top, y);
                region.right = std::max(region.right, x + 1);
                region.bottom = y + 1;
            }
        }
    }
    if (region.bottom == 0) {
        return std::nullopt;
    }
    padding = std::clamp(padding, 0, std::max(mask.width, mask.height));
    return Region{
        std::max(region.left - padding, 0),
        std::max(region.top - padding, 0),
        std::min(region.right + padding, mask.width),
        std::min(region.bottom + padding, mask.height)};
}

Region expand_crop_region(
    const Region& region,
    int processing_width,
    int processing_height,
    int picture_width,
    int picture_height
) {
    assert(check_region(region, picture_width, picture_height) && processing_width > 0);
    assert(processing_height > 0);
    const double width = region.width();
    const double height = region.height();
    const double aspect = static_cast<double>(processing_width) / processing_height;
    Region out = region;
    if (width / height > aspect) {
        // Beyond the picture's height it makes no difference by how much.
        const double wanted = std::min(width / aspect - height, 2.0 * picture_height);
        const Interval rows =
            grown({region.top, region.bottom}, static_cast<int>(wanted), picture_height);
        out.top = rows.first;
        out.bottom = rows.last;
    } else {
        const double wanted = std::min(height * aspect - width, 2.0 * picture_width);
        const Interval columns =
            grown({region.left, region.right}, static_cast<int>(wanted), picture_width);
        out.left = columns.first;
        out.right = columns.last;
    }
    return out;
}

Result<Image> crop(const Image& image, const Region& region) {
    TESSERA_TRY(check_region(region, image.width, image.height));
    return Image{
        region.width(),
        region.height(),
        image.channels,
        cut(image.pixels, image.width, image.channels, region)};
}

Result<Mask> crop(const Mask& mask, const Region& region) {
    TESSERA_TRY(check_region(region, mask.width, mask.height));
    return Mask{region.width(), region.height(), cut(mask.values, mask.width, 1, region)};
}

}  // namespace tessera
