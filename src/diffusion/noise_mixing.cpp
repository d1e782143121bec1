#include "diffusion/noise_mixing.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace tessera {

namespace {

struct Weights {
    double low;
    double high;
};

/// One column: its values stand `stride` apart.
struct Column {
    std::size_t begin;
    std::size_t stride;
    std::size_t length;
};

double dot(const Tensor& a, const Tensor& b, const Column& column) {
    double sum = 0.0;
    for (std::size_t i = 0; i < column.length; ++i) {
        const std::size_t at = column.begin + i * column.stride;
        sum += static_cast<double>(a.values[at]) * static_cast<double>(b.values[at]);
    }
    return sum;
}

double cosine(const Tensor& a, const Tensor& b, const Column& column) {
    const double norms = std::sqrt(dot(a, a, column) * dot(b, b, column));
    return norms > 0.0 ? std::clamp(dot(a, b, column) / norms, -1.0, 1.0) : 1.0;
}

Weights slerp_weights(double amount, double cosine) {
    const double angle = std::acos(cosine);
    const double sine = std::sin(angle);
    // Between parallel columns there is no arc; torch would give NaN.
    constexpr double kSmallestSine = 1e-6;
    if (sine < kSmallestSine) {
        return {1.0 - amount, amount};
    }
    return {std::sin((1.0 - amount) * angle) / sine, std::sin(amount * angle) / sine};
}

/// Where a piece's side begins on the ground's side, where in itself, and how much is laid.
struct Overlap {
    std::size_t ground;
    std::size_t piece;
    std::size_t length;
};

Overlap centred(std::int64_t ground, std::int64_t piece) {
    if (piece <= ground) {
        const std::int64_t margin = (ground - piece) / 2;
        return {static_cast<std::size_t>(margin), 0, static_cast<std::size_t>(piece)};
    }
    // Rounded up, so that an odd excess leaves a line of the ground free.
    const std::int64_t cut = (piece - ground + 1) / 2;
    return {0, static_cast<std::size_t>(cut), static_cast<std::size_t>(piece - 2 * cut)};
}

}  // namespace

Tensor slerp_columns(double amount, const Tensor& low, const Tensor& high) {
    const auto channels = static_cast<std::size_t>(low.shape[0]);
    const auto height = static_cast<std::size_t>(low.shape[1]);
    const auto width = static_cast<std::size_t>(low.shape[2]);
    std::vector<Column> columns;
    std::vector<double> cosines;
    double sum = 0.0;
    for (std::size_t channel = 0; channel < channels; ++channel) {
        for (std::size_t x = 0; x < width; ++x) {
            columns.push_back({channel * height * width + x, width, height});
            cosines.push_back(cosine(low, high, columns.back()));
            sum += cosines.back();
        }
    }
    // Nearly the same noise on both sides is mixed linearly, and the wrong way round, as there.
    constexpr double kNearlySame = 0.9995;
    const bool nearly_same = sum / static_cast<double>(columns.size()) > kNearlySame;

    Tensor mixed(low.shape);
    for (std::size_t c = 0; c < columns.size(); ++c) {
        const Weights weights =
            nearly_same ? Weights{amount, 1.0 - amount} : slerp_weights(amount, cosines[c]);
        for (std::size_t i = 0; i < columns[c].length; ++i) {
            const std::size_t at = columns[c].begin + i * columns[c].stride;
            mixed.values[at] = static_cast<float>(
                weights.low * static_cast<double>(low.values[at]) +
                weights.high * static_cast<double>(high.values[at])
            );
        }
    }
    return mixed;
}

void paste_centred(const Tensor& piece, Tensor& ground) {
    const Overlap rows = centred(ground.shape[1], piece.shape[1]);
    const Overlap columns = centred(ground.shape[2], piece.shape[2]);
    const auto offset = [](const Tensor& tensor, std::int64_t channel, std::size_t y, std::size_t x
                        ) {
        const auto row = static_cast<std::size_t>(channel * tensor.shape[1]) + y;
        return static_cast<std::ptrdiff_t>(row * static_cast<std::size_t>(tensor.shape[2]) + x);
    };
    for (std::int64_t channel = 0; channel < ground.shape[0]; ++channel) {
        for (std::size_t y = 0; y < rows.length; ++y) {
            std::copy_n(
                piece.values.begin() + offset(piece, channel, rows.piece + y, columns.piece),
                columns.length,
                ground.values.begin() + offset(ground, channel, rows.ground + y, columns.ground)
            );
        }
    }
}

}  // namespace tessera
