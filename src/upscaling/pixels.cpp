#include "upscaling/pixels.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace tessera {
namespace {

constexpr float kWhite = 255.0F;

}  // namespace

Tensor to_unit_planes(const Image& rgb) {
    assert(is_well_formed(rgb) && rgb.channels == 3);
    const std::size_t area = rgb.pixels.size() / 3;
    Tensor planes({1, 3, rgb.height, rgb.width});
    for (std::size_t channel = 0; channel < 3; ++channel) {
        for (std::size_t at = 0; at < area; ++at) {
            planes.values[channel * area + at] =
                static_cast<float>(rgb.pixels[3 * at + channel]) / kWhite;
        }
    }
    return planes;
}

Result<Image> from_unit_planes(const Tensor& planes) {
    const std::size_t area = planes.values.size() / 3;
    Image image{
        static_cast<int>(planes.shape[3]),
        static_cast<int>(planes.shape[2]),
        3,
        std::vector<std::uint8_t>(3 * area)};
    for (std::size_t channel = 0; channel < 3; ++channel) {
        for (std::size_t at = 0; at < area; ++at) {
            const float value = planes.values[channel * area + at];
            if (std::isnan(value)) {
                return fail(
                    ErrorKind::kCorrupt,
                    "the network's result is not a number; its weights are damaged"
                );
            }
            image.pixels[3 * at + channel] =
                static_cast<std::uint8_t>(std::nearbyint(std::clamp(value, 0.0F, 1.0F) * kWhite));
        }
    }
    return image;
}

Image pad_to_multiple(Image image, int multiple) {
    const int width = (image.width + multiple - 1) / multiple * multiple;
    const int height = (image.height + multiple - 1) / multiple * multiple;
    if (width == image.width && height == image.height) {
        return image;
    }
    const auto channels = static_cast<std::size_t>(image.channels);
    const std::size_t row = static_cast<std::size_t>(image.width) * channels;
    Image padded{width, height, image.channels, {}};
    padded.pixels.reserve(
        static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * channels
    );
    for (int y = 0; y < height; ++y) {
        const auto source = static_cast<std::size_t>(std::min(y, image.height - 1)) * row;
        const auto begin = image.pixels.begin() + static_cast<std::ptrdiff_t>(source);
        const auto end = begin + static_cast<std::ptrdiff_t>(row);
        padded.pixels.insert(padded.pixels.end(), begin, end);
        for (int x = image.width; x < width; ++x) {
            padded.pixels.insert(
                padded.pixels.end(), end - static_cast<std::ptrdiff_t>(channels), end
            );
        }
    }
    return padded;
}

Image colours_of(const Image& rgba) {
    assert(rgba.channels == 4);
    Image rgb{rgba.width, rgba.height, 3, {}};
    rgb.pixels.reserve(rgba.pixels.size() / 4 * 3);
    for (std::size_t at = 0; at < rgba.pixels.size(); ++at) {
        if (at % 4 != 3) {
            rgb.pixels.push_back(rgba.pixels[at]);
        }
    }
    return rgb;
}

Image alpha_of(const Image& rgba) {
    assert(rgba.channels == 4);
    Image grey{rgba.width, rgba.height, 3, {}};
    grey.pixels.reserve(rgba.pixels.size() / 4 * 3);
    for (std::size_t at = 3; at < rgba.pixels.size(); at += 4) {
        grey.pixels.insert(grey.pixels.end(), 3, rgba.pixels[at]);
    }
    return grey;
}

Image with_alpha(const Image& rgb, const Image& grey) {
    assert(rgb.pixels.size() == grey.pixels.size());
    Image rgba{rgb.width, rgb.height, 4, {}};
    rgba.pixels.reserve(rgb.pixels.size() / 3 * 4);
    for (std::size_t at = 0; at < rgb.pixels.size(); at += 3) {
        rgba.pixels.insert(
            rgba.pixels.end(),
            {rgb.pixels[at], rgb.pixels[at + 1], rgb.pixels[at + 2], grey.pixels[at]}
        );
    }
    return rgba;
}

}  // namespace tessera
