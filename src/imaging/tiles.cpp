#include "imaging/tiles.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>

namespace tessera {
namespace {

/// One direction of a grid.
struct Cover {
    int length;               ///< of every tile
    std::vector<int> starts;  ///< ascending, the first 0
};

/// In units of the layout's multiple.
Cover cover(int whole, int side, int overlap) {
    if (whole <= side) {
        return {whole, {0}};
    }
    const int step = side - overlap;
    const int count = (whole - overlap + step - 1) / step;
    const int length = (whole + (count - 1) * overlap + count - 1) / count;
    Cover even{length, {}};
    for (int index = 0; index < count; ++index) {
        // Rounded down, so that no gap between neighbours is larger than length - overlap.
        const auto reach = static_cast<std::int64_t>(whole - length) * index;
        even.starts.push_back(static_cast<int>(reach / (count - 1)));
    }
    return even;
}

Cover cover(int whole, const TileLayout& layout) {
    const int unit = layout.multiple;
    Cover scaled = cover(whole / unit, layout.side / unit, layout.overlap / unit);
    scaled.length *= unit;
    for (int& start : scaled.starts) {
        start *= unit;
    }
    return scaled;
}

/// What a tile counts at each of its pixels along one direction.
struct Share {
    float own = 1.0F;     ///< its own weight
    float so_far = 1.0F;  ///< with the tiles before it; 1 unless a later one has a part
};

/// A ramp from 0 to 1 over the `feather` pixels around the middle of the overlap [0, overlap).
float ramp(int at, int overlap, int feather) {
    const float start = static_cast<float>(overlap - feather) / 2.0F;
    const float way =
        (static_cast<float>(at) + 0.5F - start) / static_cast<float>(std::max(feather, 1));
    return std::clamp(way, 0.0F, 1.0F);
}

std::vector<Share> shares(
    const std::vector<int>& starts, std::size_t index, int length, int feather, int scale
) {
    std::vector<Share> shares(static_cast<std::size_t>(length) * static_cast<std::size_t>(scale));
    if (index > 0) {
        const int overlap = (starts[index - 1] + length - starts[index]) * scale;
        for (int at = 0; at < overlap; ++at) {
            shares[static_cast<std::size_t>(at)].own = ramp(at, overlap, feather * scale);
        }
    }
    if (index + 1 < starts.size()) {
        const int begin = (starts[index + 1] - starts[index]) * scale;
        const int overlap = length * scale - begin;
        for (int at = 0; at < overlap; ++at) {
            Share& share = shares[static_cast<std::size_t>(begin + at)];
            share.own = 1.0F - ramp(at, overlap, feather * scale);
            share.so_far = share.own;
        }
    }
    return shares;
}

std::uint8_t mix(std::uint8_t before, std::uint8_t now, float part) {
    const auto from = static_cast<float>(before);
    const auto to = static_cast<float>(now);
    return static_cast<std::uint8_t>(std::nearbyint(from + (to - from) * part));
}

}  // namespace

Result<TileGrid> TileGrid::make(int width, int height, const TileLayout& layout) {
    const int unit = layout.multiple;
    if (width <= 0 || height <= 0 || unit <= 0 || width % unit != 0 || height % unit != 0) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a picture of {}x{} cannot be cut into tiles of multiples of {}",
            width,
            height,
            unit
        );
    }
    if (layout.side <= 0 || layout.overlap < 0 || layout.side / 3 < layout.overlap ||
        layout.feather < 0 || layout.feather > layout.overlap || layout.side % unit != 0 ||
        layout.overlap % unit != 0) {
        return fail(
            ErrorKind::kInvalidArgument,
            "tiles of {0} pixels cannot overlap by {1}: a tile is at least three times the "
            "overlap, "
            "both multiples of {2}, and the part that fades no more than the overlap",
            layout.side,
            layout.overlap,
            unit
        );
    }
    Cover across = cover(width, layout);
    Cover down = cover(height, layout);
    TileGrid grid;
    grid.width_ = width;
    grid.height_ = height;
    grid.feather_ = layout.feather;
    grid.tile_width_ = across.length;
    grid.tile_height_ = down.length;
    grid.xs_ = std::move(across.starts);
    grid.ys_ = std::move(down.starts);
    return grid;
}

Tile TileGrid::tile(std::size_t index) const {
    return {xs_[index % xs_.size()], ys_[index / xs_.size()], tile_width_, tile_height_};
}

Image cut_tile(const Image& image, const Tile& tile) {
    assert(is_well_formed(image));
    assert(tile.x >= 0 && tile.x + tile.width <= image.width);
    assert(tile.y >= 0 && tile.y + tile.height <= image.height);
    const auto channels = static_cast<std::size_t>(image.channels);
    const std::size_t row = static_cast<std::size_t>(tile.width) * channels;
    Image cut{tile.width, tile.height, image.channels, {}};
    cut.pixels.reserve(row * static_cast<std::size_t>(tile.height));
    for (int y = tile.y; y < tile.y + tile.height; ++y) {
        const std::size_t start =
            (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
             static_cast<std::size_t>(tile.x)) *
            channels;
        const auto begin = image.pixels.begin() + static_cast<std::ptrdiff_t>(start);
        cut.pixels.insert(cut.pixels.end(), begin, begin + static_cast<std::ptrdiff_t>(row));
    }
    return cut;
}

TileMerger::TileMerger(const TileGrid& grid, int scale, int channels)
    : grid_(grid),
      scale_(scale),
      image_{
          grid.width() * scale,
          grid.height() * scale,
          channels,
          std::vector<std::uint8_t>(
              static_cast<std::size_t>(grid.width()) * static_cast<std::size_t>(grid.height()) *
              static_cast<std::size_t>(scale * scale * channels)
          )} {}

void TileMerger::add(const Image& tile) {
    assert(next_ < grid_.count());
    const Tile place = grid_.tile(next_);
    assert(tile.width == place.width * scale_ && tile.height == place.height * scale_);
    assert(tile.channels == image_.channels && is_well_formed(tile));
    const std::size_t columns = grid_.xs_.size();
    const auto across = shares(grid_.xs_, next_ % columns, place.width, grid_.feather_, scale_);
    const auto down = shares(grid_.ys_, next_ / columns, place.height, grid_.feather_, scale_);
    const auto channels = static_cast<std::size_t>(image_.channels);
    const std::uint8_t* source = tile.pixels.data();
    for (std::size_t y = 0; y < down.size(); ++y) {
        const std::size_t row = static_cast<std::size_t>(place.y * scale_) + y;
        std::uint8_t* target =
            image_.pixels.data() + (row * static_cast<std::size_t>(image_.width) +
                                    static_cast<std::size_t>(place.x * scale_)) *
                                       channels;
        // The tiles above count what this row of tiles leaves of the weight, down to where a later
        // row begins.
        const float above = down[y].so_far - down[y].own;
        for (std::size_t x = 0; x < across.size(); ++x) {
            const float own = down[y].own * across[x].own;
            const float so_far = above + down[y].own * across[x].so_far;
            const float part = own == 0.0F ? 0.0F : own / so_far;
            for (std::size_t channel = 0; channel < channels; ++channel) {
                *target = mix(*target, *source, part);
                ++target;
                ++source;
            }
        }
    }
    ++next_;
}

}  // namespace tessera
