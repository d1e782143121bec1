#include "imaging/image.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>

namespace tessera {

bool is_well_formed(const Image& image) {
    return image.width > 0 && image.height > 0 && (image.channels == 3 || image.channels == 4) &&
           image.pixels.size() / static_cast<std::size_t>(image.width) /
                   static_cast<std::size_t>(image.height) ==
               static_cast<std::size_t>(image.channels) &&
           image.pixels.size() % (static_cast<std::size_t>(image.width) *
                                  static_cast<std::size_t>(image.height)) ==
               0;
}

Image flatten(const Image& image) {
    assert(is_well_formed(image));
    if (image.channels == 3) {
        return image;
    }
    Image flat{image.width, image.height, 3, {}};
    flat.pixels.reserve(image.pixels.size() / 4 * 3);
    for (std::size_t at = 0; at < image.pixels.size(); at += 4) {
        const int alpha = image.pixels[at + 3];
        for (std::size_t channel = 0; channel < 3; ++channel) {
            const int mixed = image.pixels[at + channel] * alpha + 255 * (255 - alpha);
            flat.pixels.push_back(static_cast<std::uint8_t>((mixed + 127) / 255));
        }
    }
    return flat;
}

Image image_from_planes(std::span<const float> rgb_chw, int width, int height) {
    const auto area = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    assert(rgb_chw.size() == 3 * area);
    Image image{width, height, 3, std::vector<std::uint8_t>(3 * area)};
    for (std::size_t channel = 0; channel < 3; ++channel) {
        for (std::size_t at = 0; at < area; ++at) {
            const float value = rgb_chw[channel * area + at];
            const float level = std::clamp(value * 0.5F + 0.5F, 0.0F, 1.0F) * 255.0F;
            image.pixels[3 * at + channel] = std::isnan(value)
                                                 ? std::uint8_t{0}
                                                 : static_cast<std::uint8_t>(std::nearbyint(level));
        }
    }
    return image;
}

std::vector<float> planes_from_image(const Image& image) {
    const Image flat = flatten(image);
    const std::size_t area = flat.pixels.size() / 3;
    std::vector<float> planes(3 * area);
    for (std::size_t channel = 0; channel < 3; ++channel) {
        for (std::size_t at = 0; at < area; ++at) {
            const float level = static_cast<float>(flat.pixels[3 * at + channel]) / 255.0F;
            planes[channel * area + at] = 2.0F * level - 1.0F;
        }
    }
    return planes;
}

}  // namespace tessera
