#include "imaging/resize_mode.h"

#include "imaging/resize.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace tessera {
namespace {

/// What Pillow's bicubic resize makes of a box of no height at the border: the border's pixel and
/// its inner neighbour with weights 9/8 and -1/8.
std::uint8_t beyond_border(int border, int inner) {
    return static_cast<std::uint8_t>(std::clamp((9 * border - inner + 4) >> 3, 0, 255));
}

/// Where `fitted` lies along one axis of the result.
struct Placement {
    int size;   ///< of the result
    int inner;  ///< of what lies in it
    int start;

    /// The place in `inner` nearest to a place in the result.
    [[nodiscard]] int nearest(int at) const { return std::clamp(at - start, 0, inner - 1); }
    [[nodiscard]] bool is_outside(int at) const { return at < start || at >= start + inner; }
    /// The neighbour of the first or last place, towards the middle.
    [[nodiscard]] int further_in(int nearest) const {
        return std::clamp(nearest + (nearest == 0 ? 1 : -1), 0, inner - 1);
    }
};

Image placed(const Image& fitted, const Placement& across, const Placement& down) {
    Image out{across.size, down.size, fitted.channels, {}};
    const auto channels = static_cast<std::size_t>(fitted.channels);
    const auto pixel_at = [&](int x, int y) {
        const auto row = static_cast<std::size_t>(y) * static_cast<std::size_t>(fitted.width);
        return &fitted.pixels[(row + static_cast<std::size_t>(x)) * channels];
    };
    out.pixels.reserve(
        static_cast<std::size_t>(across.size) * static_cast<std::size_t>(down.size) * channels
    );
    for (int y = 0; y < down.size; ++y) {
        for (int x = 0; x < across.size; ++x) {
            const int from_x = across.nearest(x);
            const int from_y = down.nearest(y);
            const std::uint8_t* border = pixel_at(from_x, from_y);
            const std::uint8_t* inner = pixel_at(
                across.is_outside(x) ? across.further_in(from_x) : from_x,
                down.is_outside(y) ? down.further_in(from_y) : from_y
            );
            for (std::size_t channel = 0; channel < channels; ++channel) {
                out.pixels.push_back(beyond_border(border[channel], inner[channel]));
            }
        }
    }
    return out;
}

/// How long the other side becomes at this scale; never nothing.
int scaled(int side, int numerator, int denominator) {
    return static_cast<int>(std::max<std::int64_t>(std::int64_t{side} * numerator / denominator, 1)
    );
}

Result<Image> resize_and_fill(const Image& image, int width, int height) {
    if (!is_well_formed(image) || width <= 0 || height <= 0 ||
        std::int64_t{width} * height > std::int64_t{1} << 28U) {
        return resize(image, width, height);  // which refuses, and says why
    }
    const bool is_narrower =
        std::int64_t{width} * image.height < std::int64_t{height} * image.width;
    const int inner_width = is_narrower ? width : scaled(image.width, height, image.height);
    const int inner_height = is_narrower ? scaled(image.height, width, image.width) : height;
    TESSERA_ASSIGN(const Image fitted, resize(image, inner_width, inner_height));
    return placed(
        fitted,
        {width, inner_width, width / 2 - inner_width / 2},
        {height, inner_height, height / 2 - inner_height / 2}
    );
}

}  // namespace

Result<Image> resize_by_mode(const Image& image, ResizeMode mode, int width, int height) {
    switch (mode) {
        case ResizeMode::kJustResize:
            return resize(image, width, height);
        case ResizeMode::kCropAndResize:
            return crop_to_fill(image, width, height);
        case ResizeMode::kResizeAndFill:
            return resize_and_fill(image, width, height);
    }
    return fail(
        ErrorKind::kInvalidArgument,
        "there is no resize mode {}: use 0 to 2",
        static_cast<int>(mode)
    );
}

Result<Mask> resize_by_mode(const Mask& mask, ResizeMode mode, int width, int height) {
    TESSERA_ASSIGN(const Image resized, resize_by_mode(image_from_mask(mask), mode, width, height));
    return mask_from_channel(resized);
}

}  // namespace tessera
