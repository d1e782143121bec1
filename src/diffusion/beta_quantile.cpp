#include "diffusion/beta_quantile.h"

#include <cmath>

namespace tessera {

namespace {

/// The continued fraction of the incomplete beta function for equal parameters, by Lentz's method
/// (DLMF 8.17.22). Converges fast for x up to the distribution's middle.
double continued_fraction(double x, double shape) {
    constexpr int kMaxTerms = 500;
    constexpr double kEnough = 1e-16;
    double c = 1.0;
    double d = 1.0 / (1.0 - 2.0 * shape * x / (shape + 1.0));
    double fraction = d;
    for (int m = 1; m <= kMaxTerms; ++m) {
        const double even = m * (shape - m) * x / ((shape + 2 * m - 1) * (shape + 2 * m));
        d = 1.0 / (1.0 + even * d);
        c = 1.0 + even / c;
        fraction *= d * c;
        const double odd =
            -(shape + m) * (2.0 * shape + m) * x / ((shape + 2 * m) * (shape + 2 * m + 1));
        d = 1.0 / (1.0 + odd * d);
        c = 1.0 + odd / c;
        fraction *= d * c;
        if (std::abs(d * c - 1.0) < kEnough) {
            break;
        }
    }
    return fraction;
}

/// The share below x, for x up to the middle.
double share_below(double x, double shape) {
    const double power = std::pow(x * (1.0 - x), shape);
    return power / (shape * std::beta(shape, shape)) * continued_fraction(x, shape);
}

}  // namespace

double beta_quantile(double probability, double shape) {
    if (probability > 0.5) {
        return 1.0 - beta_quantile(1.0 - probability, shape);
    }
    double low = 0.0;
    double high = 0.5;
    constexpr int kHalvings = 60;
    for (int i = 0; i < kHalvings; ++i) {
        const double middle = 0.5 * (low + high);
        (share_below(middle, shape) < probability ? low : high) = middle;
    }
    return probability <= 0.0 ? 0.0 : high;
}

}  // namespace tessera
