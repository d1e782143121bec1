#include "imaging/composite.h"

#include "imaging/resize.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace tessera {
namespace {

/// One pixel of the rendered picture over one of the original, in proportion to the mask. Colours
/// are weighed with their alpha, so that what is transparent does not shine through.
void mix(std::uint8_t* original, int channels, const std::uint8_t* rendered, int mask) {
    const int original_weight = (255 - mask) * (channels == 4 ? original[3] : 255);
    const int rendered_weight = mask * 255;
    const int sum = original_weight + rendered_weight;
    for (std::size_t channel = 0; channel < 3; ++channel) {
        const int mixed = original[channel] * original_weight + rendered[channel] * rendered_weight;
        original[channel] = static_cast<std::uint8_t>((mixed + sum / 2) / sum);
    }
    if (channels == 4) {
        original[3] = static_cast<std::uint8_t>((sum + 127) / 255);
    }
}

/// Puts the rendered RGB picture over the region of the original.
void put_over(Image& original, const Image& rendered, const Mask& mask, const Region& region) {
    const auto channels = static_cast<std::size_t>(original.channels);
    std::size_t source = 0;
    for (int y = region.top; y < region.bottom; ++y) {
        const auto row = static_cast<std::size_t>(y) * static_cast<std::size_t>(original.width);
        for (int x = region.left; x < region.right; ++x, source += 3) {
            const std::size_t at = row + static_cast<std::size_t>(x);
            if (mask.values[at] != 0) {
                mix(&original.pixels[at * channels],
                    original.channels,
                    &rendered.pixels[source],
                    mask.values[at]);
            }
        }
    }
}

Status check(const Image& original, const Image& rendered, const Mask& mask) {
    if (!is_well_formed(original) || !is_well_formed(rendered) || !is_well_formed(mask)) {
        return fail(ErrorKind::kInvalidArgument, "a picture without pixels cannot be composited");
    }
    if (original.width != mask.width || original.height != mask.height) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a mask of {}x{} is not for a picture of {}x{}",
            mask.width,
            mask.height,
            original.width,
            original.height
        );
    }
    return {};
}

}  // namespace

Result<Image> composite(const Image& original, const Image& rendered, const Mask& mask) {
    TESSERA_TRY(check(original, rendered, mask));
    if (original.width != rendered.width || original.height != rendered.height) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a rendered picture of {}x{} does not go over one of {}x{}",
            rendered.width,
            rendered.height,
            original.width,
            original.height
        );
    }
    Image out = original;
    put_over(out, flatten(rendered), mask, {0, 0, original.width, original.height});
    return out;
}

Result<Image> composite_region(
    const Image& original, const Image& rendered, const Mask& mask, const Region& region
) {
    TESSERA_TRY(check(original, rendered, mask));
    TESSERA_TRY(check_region(region, original.width, original.height));
    TESSERA_ASSIGN(
        const Image covering, crop_to_fill(flatten(rendered), region.width(), region.height())
    );
    Image out = original;
    put_over(out, covering, mask, region);
    return out;
}

Mask overlay_mask(Mask blurred) {
    for (std::uint8_t& value : blurred.values) {
        value = static_cast<std::uint8_t>(std::min(2 * value, 255));
    }
    return blurred;
}

}  // namespace tessera
