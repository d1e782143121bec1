#include "imaging/mask.h"

#include "imaging/resize.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>

namespace tessera {
namespace {

bool is_transparent_anywhere(const Image& picture) {
    for (std::size_t at = 3; picture.channels == 4 && at < picture.pixels.size(); at += 4) {
        if (picture.pixels[at] != 255) {
            return true;
        }
    }
    return false;
}

/// Pillow's conversion to "L": ITU-R 601 in 16-bit fixed point.
std::uint8_t luminance(int red, int green, int blue) {
    return static_cast<std::uint8_t>((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
}

}  // namespace

bool is_well_formed(const Mask& mask) {
    return mask.width > 0 && mask.height > 0 &&
           mask.values.size() ==
               static_cast<std::size_t>(mask.width) * static_cast<std::size_t>(mask.height);
}

Mask mask_from_picture(const Image& picture) {
    assert(is_well_formed(picture));
    const auto channels = static_cast<std::size_t>(picture.channels);
    const bool is_layer = is_transparent_anywhere(picture);
    Mask mask{picture.width, picture.height, {}};
    mask.values.reserve(picture.pixels.size() / channels);
    for (std::size_t at = 0; at < picture.pixels.size(); at += channels) {
        const std::uint8_t* pixel = &picture.pixels[at];
        const auto painted = static_cast<std::uint8_t>(is_layer && pixel[3] > 128 ? 255 : 0);
        mask.values.push_back(is_layer ? painted : luminance(pixel[0], pixel[1], pixel[2]));
    }
    return mask;
}

Mask mask_from_alpha(const Image& picture) {
    assert(is_well_formed(picture));
    const auto channels = static_cast<std::size_t>(picture.channels);
    const std::size_t area = picture.pixels.size() / channels;
    Mask mask{picture.width, picture.height, std::vector<std::uint8_t>(area)};
    for (std::size_t at = 0; channels == 4 && at < area; ++at) {
        mask.values[at] = static_cast<std::uint8_t>(255 - picture.pixels[4 * at + 3]);
    }
    return mask;
}

Mask inverted(Mask mask) {
    for (std::uint8_t& value : mask.values) {
        value = static_cast<std::uint8_t>(255 - value);
    }
    return mask;
}

bool is_empty(const Mask& mask) {
    return std::all_of(mask.values.begin(), mask.values.end(), [](int value) {
        return value == 0;
    });
}

bool is_full(const Mask& mask) {
    return std::all_of(mask.values.begin(), mask.values.end(), [](int value) {
        return value == 255;
    });
}

Result<FittedMask> fit_mask(Mask mask, int width, int height) {
    if (!is_well_formed(mask)) {
        return fail(ErrorKind::kInvalidArgument, "a mask without pixels cannot be used");
    }
    if (mask.width == width && mask.height == height) {
        return FittedMask{std::move(mask), false};
    }
    TESSERA_ASSIGN(
        const Image fitted, resize(image_from_mask(mask), width, height, Resampling::kBilinear)
    );
    return FittedMask{mask_from_channel(fitted), true};
}

Image image_from_mask(const Mask& mask) {
    Image image{mask.width, mask.height, 3, {}};
    image.pixels.reserve(3 * mask.values.size());
    for (const std::uint8_t value : mask.values) {
        image.pixels.insert(image.pixels.end(), 3, value);
    }
    return image;
}

Mask mask_from_channel(const Image& image) {
    const auto channels = static_cast<std::size_t>(image.channels);
    Mask mask{image.width, image.height, {}};
    mask.values.reserve(image.pixels.size() / channels);
    for (std::size_t at = 0; at < image.pixels.size(); at += channels) {
        mask.values.push_back(image.pixels[at]);
    }
    return mask;
}

}  // namespace tessera
