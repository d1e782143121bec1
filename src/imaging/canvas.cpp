#include "imaging/canvas.h"

#include "imaging/gaussian_blur.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace tessera {
namespace {

constexpr std::int64_t kMaxSide = 16384;
constexpr std::int64_t kMaxPixels = std::int64_t{1} << 26U;

/// One axis of the extension; 64 bits, because nothing is checked yet.
struct Growth {
    std::int64_t before;
    std::int64_t inside;
    std::int64_t after;

    [[nodiscard]] std::int64_t size() const { return before + inside + after; }
};

Growth rounded_up(Growth growth, std::int64_t multiple) {
    const std::int64_t missing = (multiple - growth.size() % multiple) % multiple;
    const bool has_before = growth.before > 0;
    const bool has_after = growth.after > 0;
    if (has_before == has_after) {
        growth.before += missing / 2;
        growth.after += missing - missing / 2;
    } else if (has_before) {
        growth.before += missing;
    } else {
        growth.after += missing;
    }
    return growth;
}

Status check(const Image& image, const CanvasExtension& extension) {
    if (!is_well_formed(image)) {
        return fail(ErrorKind::kInvalidArgument, "a picture without pixels cannot be extended");
    }
    const auto sides = {extension.left, extension.top, extension.right, extension.bottom};
    if (std::min(sides) < 0 || extension.feather < 0) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a picture cannot be extended by a negative number of pixels: use 0 and more"
        );
    }
    if (std::max(sides) == 0) {
        return fail(
            ErrorKind::kInvalidArgument, "no side is to be extended: name the pixels for one"
        );
    }
    if (extension.multiple < 1 || extension.multiple > 512) {
        return fail(
            ErrorKind::kInvalidArgument,
            "sides cannot become multiples of {}: use 1 to 512",
            extension.multiple
        );
    }
    return {};
}

/// Every new pixel takes the colour of the old one nearest to it.
Image with_border_drawn_out(const Image& rgb, const Region& old, int width, int height) {
    Image out{width, height, 3, {}};
    out.pixels.reserve(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    for (int y = 0; y < height; ++y) {
        const int from_y = std::clamp(y - old.top, 0, rgb.height - 1);
        const auto row = static_cast<std::size_t>(from_y) * static_cast<std::size_t>(rgb.width);
        for (int x = 0; x < width; ++x) {
            const int from_x = std::clamp(x - old.left, 0, rgb.width - 1);
            const std::uint8_t* pixel = &rgb.pixels[3 * (row + static_cast<std::size_t>(from_x))];
            out.pixels.insert(out.pixels.end(), pixel, pixel + 3);
        }
    }
    return out;
}

/// The new part ever more blurred with the distance to the old one, where the two agree.
Image with_new_part_blurred(const Image& drawn_out, const Region& old) {
    Image out = drawn_out;
    for (const float sigma : {2.0F, 8.0F, 32.0F}) {
        const Image blurred = gaussian_blurred(drawn_out, sigma);
        std::size_t at = 0;
        for (int y = 0; y < out.height; ++y) {
            const int down = std::max({old.top - y, y - old.bottom + 1, 0});
            for (int x = 0; x < out.width; ++x) {
                const int across = std::max({old.left - x, x - old.right + 1, 0});
                const auto distance = static_cast<float>(std::hypot(across, down));
                const float share = std::min(distance / (2.0F * sigma), 1.0F);
                for (std::size_t channel = 0; channel < 3; ++channel, ++at) {
                    const auto sharp = static_cast<float>(out.pixels[at]);
                    const float change = static_cast<float>(blurred.pixels[at]) - sharp;
                    out.pixels[at] = static_cast<std::uint8_t>(std::lround(sharp + share * change));
                }
            }
        }
    }
    return out;
}

/// How deep in the old part a place lies, seen from the sides that grow: 1 for the first pixel,
/// 0 and less in the new part.
int depth(int at, int first, int last, int size) {
    constexpr int kNoSide = std::numeric_limits<int>::max();
    const int from_before = first > 0 ? at - first + 1 : kNoSide;
    const int from_after = last < size ? last - at : kNoSide;
    return std::min(from_before, from_after);
}

Mask new_part(const Region& old, int width, int height, int feather) {
    Mask mask{width, height, {}};
    mask.values.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    // Anything deeper than the picture is the same, and must not overflow.
    const int steps = std::min(feather, std::max(width, height)) + 1;
    for (int y = 0; y < height; ++y) {
        const int from_rows = depth(y, old.top, old.bottom, height);
        for (int x = 0; x < width; ++x) {
            const int from_columns = depth(x, old.left, old.right, width);
            const int deep = std::clamp(std::min(from_rows, from_columns), 0, steps);
            mask.values.push_back(static_cast<std::uint8_t>(255 * (steps - deep) / steps));
        }
    }
    return mask;
}

}  // namespace

Result<ExtendedCanvas> extend_canvas(const Image& image, const CanvasExtension& extension) {
    TESSERA_TRY(check(image, extension));
    const Growth across =
        rounded_up({extension.left, image.width, extension.right}, extension.multiple);
    const Growth down =
        rounded_up({extension.top, image.height, extension.bottom}, extension.multiple);
    if (across.size() > kMaxSide || down.size() > kMaxSide ||
        across.size() * down.size() > kMaxPixels) {
        return fail(
            ErrorKind::kExhausted,
            "extending the picture to {}x{} goes beyond {} pixels a side or {} in all",
            across.size(),
            down.size(),
            kMaxSide,
            kMaxPixels
        );
    }
    const auto width = static_cast<int>(across.size());
    const auto height = static_cast<int>(down.size());
    const int left = static_cast<int>(across.before);
    const int top = static_cast<int>(down.before);
    const Region old{left, top, left + image.width, top + image.height};

    const Image drawn_out = with_border_drawn_out(flatten(image), old, width, height);
    return ExtendedCanvas{
        with_new_part_blurred(drawn_out, old),
        new_part(old, width, height, extension.feather),
        old};
}

}  // namespace tessera
