#include "imaging/mask_region.h"

#include "imaging/testing_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>

namespace tessera {
namespace {

Mask empty_mask(int width, int height) {
    return {width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height))};
}

Mask random_mask() {
    Mask mask = empty_mask(*rc::gen::inRange(1, 40), *rc::gen::inRange(1, 40));
    const int dots = *rc::gen::inRange(1, 6);
    for (int dot = 0; dot < dots; ++dot) {
        mask.values[*rc::gen::inRange<std::size_t>(0, mask.values.size())] =
            *rc::gen::inRange<std::uint8_t>(1, 255);
    }
    return mask;
}

TEST(CropRegion, IsTheMaskWithItsPadding) {
    Mask mask = empty_mask(20, 10);
    mask.values[3 * 20 + 7] = 1;
    mask.values[5 * 20 + 12] = 255;
    EXPECT_EQ(crop_region(mask, 0), (Region{7, 3, 13, 6}));
    EXPECT_EQ(crop_region(mask, 2), (Region{5, 1, 15, 8}));
    EXPECT_EQ(crop_region(mask, 6), (Region{1, 0, 19, 10}));
    EXPECT_EQ(crop_region(mask, std::numeric_limits<int>::max()), (Region{0, 0, 20, 10}));
    EXPECT_EQ(crop_region(mask, -5), (Region{7, 3, 13, 6}));
}

TEST(CropRegion, IsNothingForAnEmptyMask) {
    EXPECT_EQ(crop_region(empty_mask(20, 10), 32), std::nullopt);
}

TEST(CropRegion, HoldsEveryMaskedPixel) {
    EXPECT_TRUE(rc::check([] {
        const Mask mask = random_mask();
        const Region region = crop_region(mask, *rc::gen::inRange(0, 50)).value();
        RC_ASSERT(check_region(region, mask.width, mask.height).has_value());
        for (int y = 0; y < mask.height; ++y) {
            for (int x = 0; x < mask.width; ++x) {
                const bool is_inside =
                    x >= region.left && x < region.right && y >= region.top && y < region.bottom;
                RC_ASSERT(
                    is_inside || mask.values[static_cast<std::size_t>(y * mask.width + x)] == 0
                );
            }
        }
    }));
}

TEST(ExpandCropRegion, GivesTheNumbersThatA1111Gives) {
    EXPECT_EQ(expand_crop_region({40, 10, 60, 20}, 512, 512, 100, 80), (Region{40, 5, 60, 25}));
    EXPECT_EQ(expand_crop_region({0, 0, 100, 10}, 512, 768, 100, 80), (Region{0, 0, 100, 80}));
    EXPECT_EQ(expand_crop_region({90, 70, 98, 78}, 512, 256, 100, 80), (Region{84, 70, 100, 78}));
    EXPECT_EQ(expand_crop_region({10, 60, 90, 79}, 512, 512, 100, 80), (Region{10, 0, 90, 80}));
    EXPECT_EQ(expand_crop_region({3, 2, 9, 12}, 832, 512, 64, 48), (Region{0, 2, 16, 12}));
}

TEST(ExpandCropRegion, StaysInsideThePictureAndKeepsTheRegion) {
    EXPECT_TRUE(rc::check([] {
        const Mask mask = random_mask();
        const Region region = crop_region(mask, 0).value();
        const int side = std::numeric_limits<int>::max();
        const int width = *rc::gen::element(1, 7, 512, side);
        const int height = *rc::gen::element(1, 9, 768, side);
        const Region out = expand_crop_region(region, width, height, mask.width, mask.height);
        RC_ASSERT(check_region(out, mask.width, mask.height).has_value());
        RC_ASSERT(out.left <= region.left && out.right >= region.right);
        RC_ASSERT(out.top <= region.top && out.bottom >= region.bottom);
    }));
}

TEST(Crop, CutsTheRegionOut) {
    const Image image{3, 2, 3, {0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5}};
    EXPECT_EQ(crop(image, {1, 0, 3, 2}), (Image{2, 2, 3, {1, 1, 1, 2, 2, 2, 4, 4, 4, 5, 5, 5}}));
    EXPECT_EQ(crop(Mask{3, 2, {0, 1, 2, 3, 4, 5}}, {0, 1, 2, 2}), (Mask{2, 1, {3, 4}}));
    EXPECT_EQ(crop(image, {0, 0, 3, 2}), image);
}

TEST(Crop, RefusesRegionsOutsideOfThePicture) {
    const Image image = test_image(6, 4, 3);
    for (const Region& region :
         {Region{-1, 0, 3, 3},
          Region{0, -1, 3, 3},
          Region{0, 0, 7, 3},
          Region{0, 0, 3, 5},
          Region{3, 0, 3, 3},
          Region{0, 3, 3, 2}}) {
        EXPECT_EQ(crop(image, region).error().kind, ErrorKind::kInvalidArgument);
    }
}

}  // namespace
}  // namespace tessera
