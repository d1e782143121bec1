#include "imaging/masked_fill.h"

#include "imaging/gaussian_blur.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tessera {
namespace {

/// value / 255, rounded: Pillow's DIV255, for values to 255 * 255 * 2^7.
std::uint32_t divided_by_255(std::uint32_t value, unsigned extra_bits = 0) {
    value += 0x80U << extra_bits;
    return ((value >> 8U) + value) >> 8U;
}

/// RGBA with the colours multiplied by alpha, and nothing under the mask.
Image unmasked_part(const Image& rgb, const Mask& mask) {
    Image out{rgb.width, rgb.height, 4, {}};
    out.pixels.reserve(4 * mask.values.size());
    for (std::size_t at = 0; at < mask.values.size(); ++at) {
        const auto kept = static_cast<std::uint32_t>(255 - mask.values[at]);
        for (std::size_t channel = 0; channel < 3; ++channel) {
            const std::uint32_t product = rgb.pixels[3 * at + channel] * kept;
            out.pixels.push_back(static_cast<std::uint8_t>(divided_by_255(product)));
        }
        out.pixels.push_back(static_cast<std::uint8_t>(kept));
    }
    return out;
}

void divide_alpha_out(Image& rgba) {
    for (std::size_t at = 0; at < rgba.pixels.size(); at += 4) {
        const int alpha = rgba.pixels[at + 3];
        for (std::size_t channel = 0; alpha != 0 && alpha != 255 && channel < 3; ++channel) {
            rgba.pixels[at + channel] =
                static_cast<std::uint8_t>(std::min(255 * rgba.pixels[at + channel] / alpha, 255));
        }
    }
}

/// Pillow's alpha_composite of one pixel over another, in place.
void put_over(std::uint8_t* under, const std::uint8_t* over) {
    constexpr unsigned kPrecisionBits = 7;
    const std::uint32_t alpha = over[3];
    if (alpha == 0) {
        return;
    }
    const std::uint32_t both = alpha * 255 + under[3] * (255 - alpha);
    const std::uint32_t over_weight = ((alpha * 255 * 255) << kPrecisionBits) / both;
    const std::uint32_t under_weight = (255U << kPrecisionBits) - over_weight;
    for (std::size_t channel = 0; channel < 3; ++channel) {
        const std::uint32_t mixed = over[channel] * over_weight + under[channel] * under_weight;
        under[channel] =
            static_cast<std::uint8_t>(divided_by_255(mixed, kPrecisionBits) >> kPrecisionBits);
    }
    under[3] = static_cast<std::uint8_t>(divided_by_255(both));
}

}  // namespace

Result<Image> fill_masked(const Image& image, const Mask& mask) {
    if (!is_well_formed(image) || !is_well_formed(mask) || image.width != mask.width ||
        image.height != mask.height) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a picture of {}x{} cannot be filled under a mask of {}x{}",
            image.width,
            image.height,
            mask.width,
            mask.height
        );
    }
    const Image source = unmasked_part(flatten(image), mask);
    Image layer{image.width, image.height, 4, std::vector<std::uint8_t>(source.pixels.size())};
    // Radius and how often it is put on.
    constexpr std::pair<float, int> kStages[] = {
        {256.0F, 1}, {64.0F, 1}, {16.0F, 2}, {4.0F, 4}, {2.0F, 2}, {0.0F, 1}};
    for (const auto& [radius, repeats] : kStages) {
        Image paint = gaussian_blurred(source, radius);
        divide_alpha_out(paint);
        for (int repeat = 0; repeat < repeats; ++repeat) {
            for (std::size_t at = 0; at < layer.pixels.size(); at += 4) {
                put_over(&layer.pixels[at], &paint.pixels[at]);
            }
        }
    }
    Image out{image.width, image.height, 3, {}};
    out.pixels.reserve(3 * mask.values.size());
    for (std::size_t at = 0; at < layer.pixels.size(); at += 4) {
        out.pixels.insert(out.pixels.end(), &layer.pixels[at], &layer.pixels[at] + 3);
    }
    return out;
}

}  // namespace tessera
