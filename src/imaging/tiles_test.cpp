#include "imaging/tiles.h"

#include "imaging/testing_test.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

Image enlarge_nearest(const Image& image, int scale) {
    Image large{image.width * scale, image.height * scale, image.channels, {}};
    for (int y = 0; y < large.height; ++y) {
        for (int x = 0; x < large.width; ++x) {
            for (int channel = 0; channel < image.channels; ++channel) {
                const int at = ((y / scale) * image.width + x / scale) * image.channels + channel;
                large.pixels.push_back(image.pixels[static_cast<std::size_t>(at)]);
            }
        }
    }
    return large;
}

Image plain(int width, int height, std::uint8_t level) {
    const auto area = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    return {width, height, 3, std::vector<std::uint8_t>(3 * area, level)};
}

TEST(Tiles, SplittingAndMergingIsIdentity) {
    rc::check([] {
        const int multiple = *rc::gen::element(1, 2, 4);
        const int width = *rc::gen::inRange(1, 70) * multiple;
        const int height = *rc::gen::inRange(1, 70) * multiple;
        TileLayout layout;
        layout.multiple = multiple;
        layout.overlap = *rc::gen::inRange(0, 9) * multiple;
        layout.side = std::max(multiple, 3 * layout.overlap + *rc::gen::inRange(0, 30) * multiple);
        layout.feather = *rc::gen::inRange(0, layout.overlap + 1);
        const int scale = *rc::gen::inRange(1, 4);
        const int channels = *rc::gen::element(3, 4);
        const Image image = test_image(width, height, channels);
        const auto grid = TileGrid::make(width, height, layout);
        RC_ASSERT(grid.has_value());
        TileMerger merger(*grid, scale, channels);
        for (std::size_t index = 0; index < grid->count(); ++index) {
            merger.add(enlarge_nearest(cut_tile(image, grid->tile(index)), scale));
        }
        RC_ASSERT(merger.take() == enlarge_nearest(image, scale));
    });
}

TEST(Tiles, KeepToTheLayout) {
    rc::check([] {
        const int multiple = *rc::gen::element(1, 2, 4);
        const int width = *rc::gen::inRange(1, 200) * multiple;
        TileLayout layout;
        layout.multiple = multiple;
        layout.overlap = *rc::gen::inRange(0, 12) * multiple;
        layout.side = std::max(multiple, 3 * layout.overlap + *rc::gen::inRange(0, 30) * multiple);
        const auto grid = TileGrid::make(width, multiple, layout);
        RC_ASSERT(grid.has_value());
        int last_end = layout.overlap;
        for (std::size_t index = 0; index < grid->count(); ++index) {
            const Tile tile = grid->tile(index);
            RC_ASSERT(tile.width <= layout.side);
            RC_ASSERT(tile.x % multiple == 0);
            RC_ASSERT(tile.width % multiple == 0);
            RC_ASSERT(last_end - tile.x >= layout.overlap);
            last_end = tile.x + tile.width;
        }
        RC_ASSERT(grid->tile(0).x == 0);
        RC_ASSERT(last_end == width);
    });
}

TEST(Tiles, ASmallPictureIsOne) {
    const auto grid = TileGrid::make(64, 48, {64, 16, 8, 1});
    ASSERT_TRUE(grid);
    EXPECT_EQ(grid->count(), 1U);
    EXPECT_EQ(grid->tile(0), (Tile{0, 0, 64, 48}));
}

TEST(Tiles, FadeEvenlyIntoEachOther) {
    const auto grid = TileGrid::make(80, 80, {48, 16, 16, 1});
    ASSERT_TRUE(grid);
    ASSERT_EQ(grid->count(), 4U);
    TileMerger merger(*grid, 1, 3);
    for (const int level : {0, 80, 160, 240}) {
        merger.add(plain(48, 48, static_cast<std::uint8_t>(level)));
    }
    const Image merged = merger.take();
    // Bilinear between the four levels, of which each stands in its own corner.
    const auto level = [](int x, int y) {
        const double right = std::clamp((x + 0.5 - 32) / 16, 0.0, 1.0);
        const double below = std::clamp((y + 0.5 - 32) / 16, 0.0, 1.0);
        return 80 * right + 160 * below;
    };
    for (int y = 0; y < 80; ++y) {
        for (int x = 0; x < 80; ++x) {
            const auto at = static_cast<std::size_t>(3 * (y * 80 + x));
            ASSERT_NEAR(merged.pixels[at], level(x, y), 1.5) << x << ", " << y;
        }
    }
}

TEST(Tiles, LeaveOutWhatIsNearATilesInnerEdge) {
    const auto grid = TileGrid::make(80, 48, {48, 16, 4, 1});
    ASSERT_TRUE(grid);
    ASSERT_EQ(grid->count(), 2U);
    TileMerger merger(*grid, 1, 3);
    Image left = plain(48, 48, 100);
    Image right = plain(48, 48, 100);
    for (int y = 0; y < 48; ++y) {
        for (int x = 0; x < 6; ++x) {
            left.pixels[static_cast<std::size_t>(3 * (y * 48 + 47 - x))] = 0;
            right.pixels[static_cast<std::size_t>(3 * (y * 48 + x))] = 255;
        }
    }
    merger.add(left);
    merger.add(right);
    EXPECT_EQ(merger.take(), plain(80, 48, 100));
}

TEST(Tiles, RefuseALayoutThatCannotWork) {
    const TileLayout layouts[] = {
        {0, 0, 0, 1}, {-8, 0, 0, 1}, {32, 16, 0, 1}, {32, -1, 0, 1}, {32, 8, 9, 1}, {33, 8, 0, 2}};
    for (const TileLayout& layout : layouts) {
        const auto grid = TileGrid::make(100, 100, layout);
        ASSERT_FALSE(grid) << layout.side << " " << layout.overlap;
        EXPECT_EQ(grid.error().kind, ErrorKind::kInvalidArgument);
    }
    EXPECT_FALSE(TileGrid::make(101, 100, {32, 8, 8, 2}));
    EXPECT_FALSE(TileGrid::make(0, 100, {32, 8, 8, 1}));
}

}  // namespace
}  // namespace tessera
