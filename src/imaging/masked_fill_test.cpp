#include "imaging/masked_fill.h"

#include "imaging/testing_test.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

Mask mask_of(int width, int height, std::uint8_t value) {
    const auto area = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    return {width, height, std::vector<std::uint8_t>(area, value)};
}

TEST(FillMasked, GivesThePixelsThatA1111Gives) {
    Image image{8, 6, 3, {}};
    Mask mask = mask_of(8, 6, 0);
    for (int y = 0; y < 6; ++y) {
        for (int x = 0; x < 8; ++x) {
            for (const int value : {x * 255 / 8, y * 255 / 6, (x * 37 + y * 91) % 256}) {
                image.pixels.push_back(static_cast<std::uint8_t>(value));
            }
            if (x >= 2 && x < 6 && y >= 2 && y < 5) {
                mask.values[static_cast<std::size_t>(8 * y + x)] = 255;
            }
        }
    }
    const std::vector<std::uint8_t> a1111 = {
        0,   0,   0,   31,  0,   37,  63,  0,   74,  95,  0,   111, 127, 0,   148, 159, 0,   185,
        191, 0,   222, 223, 0,   3,   0,   42,  91,  31,  42,  128, 63,  42,  165, 95,  42,  202,
        127, 42,  239, 159, 42,  20,  191, 42,  57,  223, 42,  94,  0,   85,  182, 31,  85,  219,
        58,  78,  115, 93,  78,  122, 130, 78,  125, 162, 78,  125, 191, 85,  148, 223, 85,  185,
        0,   127, 17,  31,  127, 54,  58,  118, 118, 92,  117, 120, 131, 117, 124, 164, 118, 124,
        191, 127, 239, 223, 127, 20,  0,   170, 108, 31,  170, 145, 58,  152, 120, 92,  152, 118,
        130, 152, 121, 163, 152, 124, 191, 170, 74,  223, 170, 111, 0,   212, 199, 31,  212, 236,
        63,  212, 17,  95,  212, 54,  127, 212, 91,  159, 212, 128, 191, 212, 165, 223, 212, 202};
    EXPECT_EQ(fill_masked(image, mask).value().pixels, a1111);
}

TEST(FillMasked, KeepsThePictureWhereNothingIsMasked) {
    const Image image = test_image(30, 20, 3);
    EXPECT_EQ(fill_masked(image, mask_of(30, 20, 0)), image);
}

TEST(FillMasked, IsBlackUnderAFullMask) {
    const Image image = test_image(30, 20, 3);
    EXPECT_EQ(
        fill_masked(image, mask_of(30, 20, 255)),
        (Image{30, 20, 3, std::vector<std::uint8_t>(1800, 0)})
    );
}

TEST(FillMasked, TakesNoColourFromUnderTheMask) {
    Image image = test_image(30, 20, 3);
    Mask mask = mask_of(30, 20, 0);
    mask.values[10 * 30 + 15] = 255;
    const Image before = fill_masked(image, mask).value();
    std::fill_n(image.pixels.begin() + 3 * (10 * 30 + 15), 3, std::uint8_t{0});
    EXPECT_EQ(fill_masked(image, mask), before);
}

TEST(FillMasked, CompositesTransparencyOverWhite) {
    const Image image = test_image(12, 9, 4);
    const Mask mask = mask_of(12, 9, 90);
    EXPECT_EQ(fill_masked(image, mask), fill_masked(flatten(image), mask).value());
}

TEST(FillMasked, RefusesAMaskOfAnotherSize) {
    const Image image = test_image(12, 9, 3);
    EXPECT_EQ(fill_masked(image, mask_of(9, 12, 0)).error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(fill_masked(Image(), Mask()).error().kind, ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace tessera
