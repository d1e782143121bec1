#pragma once

#include "base/result.h"
#include "imaging/image.h"

#include <cstddef>
#include <vector>

namespace tessera {

/// A rectangle of a picture, in pixels from its upper left corner.
struct Tile {
    int x = 0;
    int y = 0;
    int width = 0;
    int height = 0;

    bool operator==(const Tile&) const = default;
};

/// How a picture is cut into tiles.
struct TileLayout {
    int side = 0;      ///< the most that a tile is wide and high
    int overlap = 0;   ///< the least that neighbours share, in pixels
    int feather = 0;   ///< over how much of that one fades into the other; the rest is not used
    int multiple = 1;  ///< every position and size is a multiple of this
};

/// Equal tiles in rows and columns that cover a picture, as few as the layout allows and spread
/// evenly. A picture of the tiles' size or less is one tile.
class TileGrid {
  public:
    /// kInvalidArgument when the layout cannot work: `side` must be at least three times `overlap`,
    /// `feather` at most `overlap`; the sizes, `side` and `overlap` multiples of `multiple`.
    [[nodiscard]] static Result<TileGrid> make(int width, int height, const TileLayout& layout);

    [[nodiscard]] std::size_t count() const { return xs_.size() * ys_.size(); }
    /// Row by row from the upper left.
    [[nodiscard]] Tile tile(std::size_t index) const;

    [[nodiscard]] int width() const { return width_; }
    [[nodiscard]] int height() const { return height_; }

  private:
    friend class TileMerger;

    int width_ = 0;
    int height_ = 0;
    int feather_ = 0;
    int tile_width_ = 0;
    int tile_height_ = 0;
    std::vector<int> xs_;  ///< left edges of the columns
    std::vector<int> ys_;  ///< upper edges of the rows
};

/// The tile's pixels. It must lie within the picture.
[[nodiscard]] Image cut_tile(const Image& image, const Tile& tile);

/// Puts a picture together from the tiles of a grid, each enlarged by `scale`. Where neighbours
/// overlap, the middle of the overlap fades from one into the other and what is nearer to a tile's
/// inner edge is left out: networks know least there. The weights of all tiles at a pixel add up to
/// 1, so tiles that agree give exactly what they agree on. Holds nothing but the result.
class TileMerger {
  public:
    TileMerger(const TileGrid& grid, int scale, int channels);

    /// Tiles come in the grid's order, each once and of its enlarged size.
    void add(const Image& tile);
    /// The picture, after the last tile.
    [[nodiscard]] Image take() { return std::move(image_); }

  private:
    TileGrid grid_;
    int scale_;
    std::size_t next_ = 0;
    Image image_;
};

}  // namespace tessera
