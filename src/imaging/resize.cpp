#include "imaging/resize.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace tessera {
namespace {

constexpr int kPrecisionBits = 32 - 8 - 2;  // Pillow's: room for 8 bits and the kernel's overshoot
constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28U;

double sinc(double x) {
    constexpr double kPi = 3.14159265358979323846;
    return x == 0.0 ? 1.0 : std::sin(kPi * x) / (kPi * x);
}

double lanczos(double x) {
    return std::abs(x) < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
}

/// Keys' cubic convolution with a = -0.5.
double bicubic(double x) {
    constexpr double kA = -0.5;
    x = std::abs(x);
    if (x < 1.0) {
        return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1.0;
    }
    return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * kA : 0.0;
}

double bilinear(double x) {
    return std::max(1.0 - std::abs(x), 0.0);
}

struct Filter {
    double (*weight)(double distance);
    double support;  ///< beyond this distance the weight is 0
};

Filter filter_of(Resampling resampling) {
    switch (resampling) {
        case Resampling::kLanczos:
            return {lanczos, 3.0};
        case Resampling::kBicubic:
            return {bicubic, 2.0};
        case Resampling::kBilinear:
            return {bilinear, 1.0};
    }
    return {lanczos, 3.0};
}

/// How one axis changes: `from` values become `to`, of which [first, first + count) are wanted.
struct Axis {
    int from;
    std::int64_t to;
    std::int64_t first;
    int count;
    Filter filter;

    [[nodiscard]] bool is_identity() const { return from == to && count == from; }
};

/// The weights of the source values [first, first + weights.size()) in one result.
struct Kernel {
    int first = 0;
    std::vector<std::int32_t> weights;
};

Kernel kernel_at(const Axis& axis, std::int64_t position) {
    const double scale = static_cast<double>(axis.from) / static_cast<double>(axis.to);
    const double filter_scale = std::max(scale, 1.0);
    const double support = axis.filter.support * filter_scale;
    const double center = (static_cast<double>(position) + 0.5) * scale;
    const int first = std::max(static_cast<int>(std::floor(center - support + 0.5)), 0);
    const int last = std::min(static_cast<int>(std::floor(center + support + 0.5)), axis.from);

    std::vector<double> weights;
    double sum = 0.0;
    for (int at = first; at < last; ++at) {
        weights.push_back(axis.filter.weight((at - center + 0.5) / filter_scale));
        sum += weights.back();
    }
    Kernel kernel{first, {}};
    for (const double weight : weights) {
        const double scaled = weight / sum * static_cast<double>(1 << kPrecisionBits);
        kernel.weights.push_back(static_cast<std::int32_t>(scaled + (scaled < 0.0 ? -0.5 : 0.5)));
    }
    return kernel;
}

std::vector<Kernel> kernels_of(const Axis& axis) {
    std::vector<Kernel> kernels;
    kernels.reserve(static_cast<std::size_t>(axis.count));
    for (int at = 0; at < axis.count; ++at) {
        kernels.push_back(kernel_at(axis, axis.first + at));
    }
    return kernels;
}

/// The weighted sum of bytes that lie `stride` apart.
std::uint8_t apply(const Kernel& kernel, const std::uint8_t* source, std::size_t stride) {
    std::int32_t sum = 1 << (kPrecisionBits - 1);
    for (const std::int32_t weight : kernel.weights) {
        sum += *source * weight;
        source += stride;
    }
    return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

Image resample_rows(const Image& image, const Axis& axis) {
    const auto channels = static_cast<std::size_t>(image.channels);
    const auto row = static_cast<std::size_t>(image.width) * channels;
    const std::vector<Kernel> kernels = kernels_of(axis);
    Image out{axis.count, image.height, image.channels, {}};
    out.pixels.reserve(kernels.size() * channels * static_cast<std::size_t>(image.height));
    for (std::size_t start = 0; start < image.pixels.size(); start += row) {
        for (const Kernel& kernel : kernels) {
            const std::size_t at = start + static_cast<std::size_t>(kernel.first) * channels;
            for (std::size_t channel = 0; channel < channels; ++channel) {
                out.pixels.push_back(apply(kernel, &image.pixels[at + channel], channels));
            }
        }
    }
    return out;
}

Image resample_columns(const Image& image, const Axis& axis) {
    const auto row =
        static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
    Image out{image.width, axis.count, image.channels, {}};
    out.pixels.reserve(row * static_cast<std::size_t>(axis.count));
    for (const Kernel& kernel : kernels_of(axis)) {
        const std::uint8_t* source = &image.pixels[static_cast<std::size_t>(kernel.first) * row];
        for (std::size_t at = 0; at < row; ++at) {
            out.pixels.push_back(apply(kernel, source + at, row));
        }
    }
    return out;
}

/// a * b / 255, rounded, as Pillow's MULDIV255.
std::uint8_t multiply(int a, int b) {
    const int product = a * b + 128;
    return static_cast<std::uint8_t>(((product >> 8) + product) >> 8);
}

void multiply_alpha_in(Image& image) {
    for (std::size_t at = 0; at < image.pixels.size(); at += 4) {
        for (std::size_t channel = 0; channel < 3; ++channel) {
            image.pixels[at + channel] = multiply(image.pixels[at + channel], image.pixels[at + 3]);
        }
    }
}

void divide_alpha_out(Image& image) {
    for (std::size_t at = 0; at < image.pixels.size(); at += 4) {
        const int alpha = image.pixels[at + 3];
        for (std::size_t channel = 0; alpha != 0 && channel < 3; ++channel) {
            const int straight = 255 * image.pixels[at + channel] / alpha;
            image.pixels[at + channel] = static_cast<std::uint8_t>(std::min(straight, 255));
        }
    }
}

Image resample(Image image, const Axis& across, const Axis& down) {
    const bool has_alpha = image.channels == 4 && !(across.is_identity() && down.is_identity());
    if (has_alpha) {
        multiply_alpha_in(image);
    }
    if (!across.is_identity()) {
        image = resample_rows(image, across);
    }
    if (!down.is_identity()) {
        image = resample_columns(image, down);
    }
    if (has_alpha) {
        divide_alpha_out(image);
    }
    return image;
}

Status check(const Image& image, int width, int height) {
    if (!is_well_formed(image)) {
        return fail(ErrorKind::kInvalidArgument, "a picture without pixels cannot be resized");
    }
    if (width <= 0 || height <= 0) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a picture cannot be {}x{}: use sizes from 1",
            width,
            height
        );
    }
    if (std::int64_t{width} * height > kMaxPixels ||
        std::int64_t{width} * image.height > kMaxPixels) {
        return fail(
            ErrorKind::kExhausted,
            "resizing {}x{} to {}x{} needs more than {} pixels, the limit",
            image.width,
            image.height,
            width,
            height,
            kMaxPixels
        );
    }
    return {};
}

}  // namespace

Result<Image> resize(const Image& image, int width, int height, Resampling resampling) {
    TESSERA_TRY(check(image, width, height));
    const Filter filter = filter_of(resampling);
    return resample(
        image, {image.width, width, 0, width, filter}, {image.height, height, 0, height, filter}
    );
}

Result<Image> crop_to_fill(const Image& image, int width, int height) {
    TESSERA_TRY(check(image, width, height));
    const bool is_wider = std::int64_t{width} * image.height > std::int64_t{height} * image.width;
    const std::int64_t full_width =
        is_wider ? width : std::int64_t{image.width} * height / image.height;
    const std::int64_t full_height =
        is_wider ? std::int64_t{image.height} * width / image.width : height;
    const Filter filter = filter_of(Resampling::kLanczos);
    return resample(
        image,
        {image.width, full_width, full_width / 2 - width / 2, width, filter},
        {image.height, full_height, full_height / 2 - height / 2, height, filter}
    );
}

}  // namespace tessera
