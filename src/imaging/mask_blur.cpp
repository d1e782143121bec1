#include "imaging/mask.h"

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <utility>
#include <vector>

namespace tessera {
namespace {

constexpr double kMaxSigma = 256.0;
constexpr int kOne = 256;  // a weight of 1 in OpenCV's fixed point for 8-bit pictures

/// OpenCV's getGaussianKernelFixedPoint_ED: each weight is rounded with what the ones before it
/// left over; the one in the middle takes what is missing to 1.
std::vector<int> gaussian_kernel(double sigma) {
    const int radius = static_cast<int>(std::floor(2.5 * sigma + 0.5));
    std::vector<double> exact;
    double sum = 1.0;
    for (int at = -radius; at < 0; ++at) {
        exact.push_back(std::exp(-0.5 * at * at / (sigma * sigma)));
        sum += 2.0 * exact.back();
    }
    std::vector<int> kernel(2 * exact.size() + 1);
    int rest = kOne;
    double left_over = 0.0;
    for (std::size_t at = 0; at < exact.size(); ++at) {
        const double wanted = exact[at] / sum * kOne + left_over;
        const auto weight = static_cast<int>(std::nearbyint(wanted));
        left_over = wanted - weight;
        kernel[at] = weight;
        kernel[kernel.size() - 1 - at] = weight;
        rest -= 2 * weight;
    }
    kernel[exact.size()] = rest;
    return kernel;
}

/// Where a place outside of [0, count) is mirrored to, the border value itself not repeated:
/// 2 1 | 0 1 2 3 | 2 1 (OpenCV's BORDER_REFLECT_101).
int mirrored(int at, int count) {
    if (count == 1) {
        return 0;
    }
    const int period = 2 * (count - 1);
    at = std::abs(at) % period;
    return at < count ? at : period - at;
}

/// `count` values that lie `stride` apart.
void blur_line(
    std::uint8_t* values, int count, std::size_t stride, const std::vector<int>& kernel
) {
    const int radius = static_cast<int>(kernel.size() / 2);
    std::vector<int> line;
    for (int at = -radius; at < count + radius; ++at) {
        line.push_back(values[static_cast<std::size_t>(mirrored(at, count)) * stride]);
    }
    for (int at = 0; at < count; ++at) {
        int sum = kOne / 2;
        for (std::size_t tap = 0; tap < kernel.size(); ++tap) {
            sum += kernel[tap] * line[static_cast<std::size_t>(at) + tap];
        }
        values[static_cast<std::size_t>(at) * stride] = static_cast<std::uint8_t>(sum / kOne);
    }
}

}  // namespace

Result<Mask> blurred(const Mask& mask, double sigma_x, double sigma_y) {
    if (!is_well_formed(mask)) {
        return fail(ErrorKind::kInvalidArgument, "a mask without pixels cannot be blurred");
    }
    for (const double sigma : {sigma_x, sigma_y}) {
        if (!(sigma >= 0.0 && sigma <= kMaxSigma)) {
            return fail(
                ErrorKind::kInvalidArgument,
                "a mask blur of {} cannot be: use 0 to {} pixels",
                sigma,
                kMaxSigma
            );
        }
    }
    Mask out = mask;
    const auto width = static_cast<std::size_t>(mask.width);
    if (sigma_x > 0.0) {
        const std::vector<int> kernel = gaussian_kernel(sigma_x);
        for (std::size_t row = 0; row < out.values.size(); row += width) {
            blur_line(&out.values[row], mask.width, 1, kernel);
        }
    }
    if (sigma_y > 0.0) {
        const std::vector<int> kernel = gaussian_kernel(sigma_y);
        for (std::size_t column = 0; column < width; ++column) {
            blur_line(&out.values[column], mask.height, width, kernel);
        }
    }
    return out;
}

}  // namespace tessera
