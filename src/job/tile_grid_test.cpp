#include "job/tile_grid.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

namespace tessera {
namespace {

TEST(TileGrid, CoversEachPixelOnce) {
    EXPECT_TRUE(rc::check([] {
        const PixelSize size{*rc::gen::inRange(1, 120), *rc::gen::inRange(1, 120)};
        const int side = *rc::gen::inRange(1, 130);
        const int multiple = *rc::gen::inRange(1, std::min(side, 9) + 1);
        std::vector<int> covered(static_cast<std::size_t>(size.width * size.height));
        const auto tiles = tile_grid(size, side, multiple);
        RC_ASSERT(!tiles.empty());
        RC_ASSERT(tiles.size() <= static_cast<std::size_t>(kMaxTiles));
        for (const TileRegion& tile : tiles) {
            RC_ASSERT(tile.width > 0);
            RC_ASSERT(tile.height > 0);
            RC_ASSERT(tile.x % multiple == 0);
            RC_ASSERT(tile.y % multiple == 0);
            for (int y = tile.y; y < tile.y + tile.height; ++y) {
                for (int x = tile.x; x < tile.x + tile.width; ++x) {
                    ++covered.at(static_cast<std::size_t>(y * size.width + x));
                }
            }
        }
        RC_ASSERT(std::ranges::all_of(covered, [](int times) { return times == 1; }));
    }));
}

TEST(TileGrid, IsAsFewAndAsEqualAsCanBe) {
    EXPECT_TRUE(rc::check([] {
        const PixelSize size{*rc::gen::inRange(1, 5000), *rc::gen::inRange(1, 5000)};
        const int multiple = *rc::gen::element(1, 2, 4);
        const int side = *rc::gen::inRange(400, 1500);
        const auto tiles = tile_grid(size, side, multiple);
        const int step = side / multiple * multiple;
        const int columns = (size.width + step - 1) / step;
        const int rows = (size.height + step - 1) / step;
        RC_ASSERT(
            tiles.size() == static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows)
        );
        const auto [narrow, wide] = std::ranges::minmax(tiles, {}, &TileRegion::width);
        RC_ASSERT(wide.width <= side);
        RC_ASSERT(wide.width - narrow.width < 2 * multiple);
    }));
}

TEST(TileGrid, MakesTilesLargerRatherThanTooMany) {
    const auto tiles = tile_grid({1 << 20, 1 << 20}, 32, 4);
    EXPECT_EQ(tiles.size(), static_cast<std::size_t>(kMaxTiles));
    EXPECT_EQ(tiles.front(), (TileRegion{0, 0, 1 << 16, 1 << 16}));
}

}  // namespace
}  // namespace tessera
