#include "imaging/image.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tessera {
namespace {

/// The byte that a value of the network's becomes.
int level_of(float value) {
    const std::vector<float> planes(3, value);
    return image_from_planes(planes, 1, 1).pixels[0];
}

TEST(Image, PlanesBecomeInterleavedPixels) {
    const std::vector<float> planes = {-1, 1, /*green*/ 1, -1, /*blue*/ 0, 0.5};
    const Image image = image_from_planes(planes, 2, 1);
    EXPECT_EQ(image.width, 2);
    EXPECT_EQ(image.height, 1);
    EXPECT_EQ(image.pixels, (std::vector<std::uint8_t>{0, 255, 128, 255, 0, 191}));
}

TEST(Image, PlanesAreClampedAndHalvesGoToTheEvenLevel) {
    EXPECT_EQ(level_of(-7.0F), 0);
    EXPECT_EQ(level_of(7.0F), 255);
    int halves = 0;
    for (int level = 0; level < 255; ++level) {
        const float half = static_cast<float>(level) + 0.5F;
        const float value = half / 255.0F * 2.0F - 1.0F;
        if ((value * 0.5F + 0.5F) * 255.0F == half) {  // not every half has such a float
            ++halves;
            EXPECT_EQ(level_of(value), level + level % 2);
        }
    }
    EXPECT_GT(halves, 20);
    EXPECT_EQ(level_of(std::numeric_limits<float>::quiet_NaN()), 0);
    EXPECT_EQ(level_of(std::numeric_limits<float>::infinity()), 255);
}

TEST(Image, EveryLevelSurvivesTheWayToPlanesAndBack) {
    Image image{256, 1, 3, {}};
    for (int level = 0; level < 256; ++level) {
        for (const int value : {level, 255 - level, (level * 7) % 256}) {
            image.pixels.push_back(static_cast<std::uint8_t>(value));
        }
    }
    const std::vector<float> planes = planes_from_image(image);
    EXPECT_EQ(planes[0], -1.0F);
    EXPECT_EQ(planes[255], 1.0F);
    EXPECT_EQ(image_from_planes(planes, 256, 1), image);
}

TEST(Image, AlphaIsCompositedOverWhite) {
    const Image image{3, 1, 4, {10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 128}};
    const Image flat = flatten(image);
    EXPECT_EQ(flat.channels, 3);
    EXPECT_EQ(flat.pixels, (std::vector<std::uint8_t>{10, 20, 30, 255, 255, 255, 127, 177, 255}));
    EXPECT_EQ(planes_from_image(image), planes_from_image(flat));
}

TEST(Image, KnowsWhetherItsPixelsFitItsSize) {
    EXPECT_TRUE(is_well_formed({2, 1, 3, std::vector<std::uint8_t>(6)}));
    EXPECT_TRUE(is_well_formed({2, 1, 4, std::vector<std::uint8_t>(8)}));
    EXPECT_FALSE(is_well_formed({2, 1, 3, std::vector<std::uint8_t>(7)}));
    EXPECT_FALSE(is_well_formed({2, 1, 2, std::vector<std::uint8_t>(4)}));
    EXPECT_FALSE(is_well_formed({0, 1, 3, {}}));
    EXPECT_FALSE(is_well_formed({-2, -1, 3, std::vector<std::uint8_t>(6)}));
}

}  // namespace
}  // namespace tessera
