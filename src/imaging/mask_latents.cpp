#include "imaging/mask_latents.h"

#include "imaging/resize.h"

#include <cstddef>

namespace tessera {
namespace {

/// Of value / 255, to even: 127.5 does not occur, so it is this simple.
float rounded(std::uint8_t value) {
    return value >= 128 ? 1.0F : 0.0F;
}

}  // namespace

Result<std::vector<float>> shrink_to_latents(
    const Mask& mask, int downscale, MaskShrinking shrinking
) {
    if (!is_well_formed(mask) || downscale < 1 || mask.width % downscale != 0 ||
        mask.height % downscale != 0) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a mask of {}x{} does not shrink to latents: its sides must be multiples of {}",
            mask.width,
            mask.height,
            downscale
        );
    }
    const int width = mask.width / downscale;
    const int height = mask.height / downscale;
    std::vector<float> latents;
    latents.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    if (shrinking == MaskShrinking::kResizedThenRounded) {
        TESSERA_ASSIGN(
            const Image small, resize(image_from_mask(mask), width, height, Resampling::kBicubic)
        );
        for (std::size_t at = 0; at < small.pixels.size(); at += 3) {
            latents.push_back(rounded(small.pixels[at]));
        }
        return latents;
    }
    const auto step = static_cast<std::size_t>(downscale);
    const auto row = static_cast<std::size_t>(mask.width);
    for (std::size_t start = 0; start < mask.values.size(); start += row * step) {
        for (std::size_t x = 0; x < row; x += step) {
            latents.push_back(rounded(mask.values[start + x]));
        }
    }
    return latents;
}

}  // namespace tessera
