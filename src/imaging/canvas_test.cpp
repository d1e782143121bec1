#include "imaging/canvas.h"

#include "imaging/testing_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>

namespace tessera {
namespace {

/// left, top, right, bottom, multiple, feather.
CanvasExtension by(int left, int top, int right, int bottom, int multiple = 1, int feather = 0) {
    return {left, top, right, bottom, multiple, feather};
}

TEST(ExtendCanvas, GrowsTheSidesAsked) {
    const ExtendedCanvas canvas = extend_canvas(test_image(20, 10, 3), by(1, 2, 3, 4)).value();
    EXPECT_EQ(canvas.picture.width, 24);
    EXPECT_EQ(canvas.picture.height, 16);
    EXPECT_EQ(canvas.old, (Region{1, 2, 21, 12}));
}

TEST(ExtendCanvas, ReachesTheMultipleOnTheSideThatGrows) {
    const Image image = test_image(20, 10, 3);
    EXPECT_EQ(extend_canvas(image, by(5, 0, 0, 0, 8)).value().old, (Region{12, 3, 32, 13}));
    EXPECT_EQ(extend_canvas(image, by(0, 0, 5, 0, 8)).value().old, (Region{0, 3, 20, 13}));
    EXPECT_EQ(extend_canvas(image, by(5, 0, 4, 0, 8)).value().old, (Region{6, 3, 26, 13}));
    EXPECT_EQ(extend_canvas(image, by(0, 1, 0, 0, 8)).value().old, (Region{2, 6, 22, 16}));
}

TEST(ExtendCanvas, MasksTheNewPartAndFadesOverTheFeather) {
    const ExtendedCanvas hard = extend_canvas(test_image(6, 1, 3), by(0, 0, 3, 0)).value();
    EXPECT_EQ(hard.mask, (Mask{9, 1, {0, 0, 0, 0, 0, 0, 255, 255, 255}}));
    const ExtendedCanvas soft = extend_canvas(test_image(6, 1, 3), by(0, 0, 3, 0, 1, 4)).value();
    EXPECT_EQ(soft.mask, (Mask{9, 1, {0, 0, 51, 102, 153, 204, 255, 255, 255}}));
    const ExtendedCanvas both = extend_canvas(test_image(6, 1, 3), by(1, 0, 1, 0, 1, 2)).value();
    EXPECT_EQ(both.mask, (Mask{8, 1, {255, 170, 85, 0, 0, 85, 170, 255}}));
}

TEST(ExtendCanvas, KeepsTheOldPictureAndContinuesItsBorder) {
    EXPECT_TRUE(rc::check([] {
        const Image image = test_image(*rc::gen::inRange(1, 30), *rc::gen::inRange(1, 30), 3);
        const CanvasExtension extension =
            by(*rc::gen::inRange(1, 20),
               *rc::gen::inRange(0, 20),
               *rc::gen::inRange(0, 20),
               *rc::gen::inRange(0, 20),
               *rc::gen::element(1, 8, 64),
               *rc::gen::element(0, 3, std::numeric_limits<int>::max()));
        const ExtendedCanvas canvas = extend_canvas(image, extension).value();
        RC_ASSERT(canvas.picture.width % extension.multiple == 0);
        RC_ASSERT(canvas.picture.height % extension.multiple == 0);
        RC_ASSERT(canvas.old.left >= extension.left && canvas.old.top >= extension.top);
        RC_ASSERT(crop(canvas.picture, canvas.old).value() == image);
        std::size_t at = 0;
        for (int y = 0; y < canvas.mask.height; ++y) {
            for (int x = 0; x < canvas.mask.width; ++x) {
                const bool is_old = x >= canvas.old.left && x < canvas.old.right &&
                                    y >= canvas.old.top && y < canvas.old.bottom;
                RC_ASSERT((canvas.mask.values[at++] == 255) == !is_old);
            }
        }
    }));
}

TEST(ExtendCanvas, CarriesAnEvenColourOnEverywhere) {
    const Image image{4, 4, 3, std::vector<std::uint8_t>(48, 77)};
    const ExtendedCanvas canvas = extend_canvas(image, by(90, 0, 0, 200)).value();
    EXPECT_EQ(canvas.picture.pixels, std::vector<std::uint8_t>(canvas.picture.pixels.size(), 77));
}

TEST(ExtendCanvas, CompositesTransparencyOverWhite) {
    const Image image = test_image(6, 5, 4);
    EXPECT_EQ(
        extend_canvas(image, by(3, 0, 0, 0)).value().picture,
        extend_canvas(flatten(image), by(3, 0, 0, 0)).value().picture
    );
}

TEST(ExtendCanvas, RefusesWhatCannotBe) {
    const Image image = test_image(6, 5, 3);
    for (const CanvasExtension& extension :
         {by(0, 0, 0, 0),
          by(-1, 0, 5, 0),
          by(1, 0, 0, 0, 0),
          by(1, 0, 0, 0, 513),
          by(1, 0, 0, 0, 8, -1)}) {
        EXPECT_EQ(extend_canvas(image, extension).error().kind, ErrorKind::kInvalidArgument);
    }
    EXPECT_EQ(extend_canvas(Image(), by(1, 0, 0, 0)).error().kind, ErrorKind::kInvalidArgument);
}

TEST(ExtendCanvas, RefusesMoreThanTheLimit) {
    const Image image = test_image(6, 5, 3);
    const int most = std::numeric_limits<int>::max();
    for (const CanvasExtension& extension :
         {by(16384, 0, 0, 0), by(most, most, most, most), by(10000, 10000, 0, 0)}) {
        EXPECT_EQ(extend_canvas(image, extension).error().kind, ErrorKind::kExhausted);
    }
}

}  // namespace
}  // namespace tessera
