#include "imaging/gaussian_blur.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tessera {
namespace {

constexpr int kPasses = 3;

/// The radius of the box whose passes come near a Gaussian (Gwosdek et al. 2011, "Theoretical
/// foundations of Gaussian convolution by extended box filtering"), in float as Pillow has it.
float box_radius(float sigma) {
    const float variance = sigma * sigma / kPasses;
    const auto length = static_cast<float>(std::sqrt(12.0 * static_cast<double>(variance) + 1.0));
    const auto whole = static_cast<float>(std::floor((static_cast<double>(length) - 1.0) / 2.0));
    float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
    part /= 6 * (variance - (whole + 1) * (whole + 1));
    return whole + part;
}

/// A box with its weights of 2^24: full ones, and those of the two pixels at its ends.
struct Box {
    int radius;
    std::uint32_t full;
    std::uint32_t end;
};

Box box_of(float radius) {
    constexpr std::uint32_t kOne = 1U << 24U;
    const int whole = static_cast<int>(radius);
    const auto full = static_cast<std::uint32_t>(static_cast<float>(kOne) / (radius * 2 + 1));
    return {whole, full, (kOne - static_cast<std::uint32_t>(whole * 2 + 1) * full) / 2};
}

/// One pass; border values go on outwards. The sums wrap as unsigned numbers do and come out right
/// in the end.
void box_blur(
    const std::vector<std::uint8_t>& from, const Box& box, std::vector<std::uint8_t>& to
) {
    const int last = static_cast<int>(from.size()) - 1;
    const auto value_at = [&](int at) -> std::uint32_t {
        return from[static_cast<std::size_t>(std::clamp(at, 0, last))];
    };
    // The box around -1, beyond the border.
    std::uint32_t sum = value_at(0) * static_cast<std::uint32_t>(box.radius + 1);
    for (int at = 0; at < box.radius; ++at) {
        sum += value_at(at);
    }
    for (int at = 0; at <= last; ++at) {
        const std::uint32_t left_behind = value_at(at - box.radius - 1);
        sum += value_at(at + box.radius) - left_behind;
        const std::uint32_t ends = left_behind + value_at(at + box.radius + 1);
        const std::uint32_t weighed = sum * box.full + ends * box.end;
        to[static_cast<std::size_t>(at)] =
            static_cast<std::uint8_t>((weighed + (1U << 23U)) >> 24U);
    }
}

/// All passes over `count` values that lie `stride` apart.
void blur_line(std::uint8_t* values, std::size_t stride, std::size_t count, const Box& box) {
    std::vector<std::uint8_t> line(count);
    std::vector<std::uint8_t> next(count);
    for (std::size_t at = 0; at < count; ++at) {
        line[at] = values[at * stride];
    }
    for (int pass = 0; pass < kPasses; ++pass) {
        box_blur(line, box, next);
        line.swap(next);
    }
    for (std::size_t at = 0; at < count; ++at) {
        values[at * stride] = line[at];
    }
}

}  // namespace

Image gaussian_blurred(Image image, float sigma) {
    assert(is_well_formed(image) && sigma >= 0.0F);
    if (sigma == 0.0F) {
        return image;
    }
    const Box box = box_of(box_radius(sigma));
    const auto channels = static_cast<std::size_t>(image.channels);
    const auto width = static_cast<std::size_t>(image.width);
    const auto height = static_cast<std::size_t>(image.height);
    for (std::size_t row = 0; row < image.pixels.size(); row += channels * width) {
        for (std::size_t channel = 0; channel < channels; ++channel) {
            blur_line(&image.pixels[row + channel], channels, width, box);
        }
    }
    for (std::size_t column = 0; column < channels * width; ++column) {
        blur_line(&image.pixels[column], channels * width, height, box);
    }
    return image;
}

}  // namespace tessera
