#include "job/tile_grid.h"

#include <algorithm>
#include <cstdint>

namespace tessera {
namespace {

int divide_up(int value, int divisor) {
    return (value + divisor - 1) / divisor;
}

/// How many parts of at most `side` a length is cut into.
int part_count(int length, int side, int multiple) {
    return divide_up(divide_up(length, multiple), side / multiple);
}

/// The edges of the parts, from 0 to length.
std::vector<int> edges(int length, int side, int multiple) {
    const std::int64_t cells = divide_up(length, multiple);
    const int parts = part_count(length, side, multiple);
    std::vector<int> result;
    for (std::int64_t i = 0; i <= parts; ++i) {
        result.push_back(std::min(length, static_cast<int>(i * cells / parts) * multiple));
    }
    return result;
}

}  // namespace

std::vector<TileRegion> tile_grid(PixelSize size, int side, int multiple) {
    while (std::int64_t{part_count(size.width, side, multiple)} *
               part_count(size.height, side, multiple) >
           kMaxTiles) {
        side *= 2;
    }
    const auto xs = edges(size.width, side, multiple);
    const auto ys = edges(size.height, side, multiple);
    std::vector<TileRegion> tiles;
    tiles.reserve((xs.size() - 1) * (ys.size() - 1));
    for (std::size_t row = 1; row < ys.size(); ++row) {
        for (std::size_t column = 1; column < xs.size(); ++column) {
            const int x = xs[column - 1];
            const int y = ys[row - 1];
            tiles.push_back({x, y, xs[column] - x, ys[row] - y});
        }
    }
    return tiles;
}

}  // namespace tessera
