#include "imaging/mask.h"

#include "imaging/testing_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>

namespace tessera {
namespace {

/// 255 in columns 4 to 8 of rows 3 to 5.
Mask square() {
    Mask mask{12, 9, std::vector<std::uint8_t>(108)};
    for (const std::size_t start : {3U * 12U + 4U, 4U * 12U + 4U, 5U * 12U + 4U}) {
        std::fill_n(mask.values.begin() + static_cast<std::ptrdiff_t>(start), 5, std::uint8_t{255});
    }
    return mask;
}

TEST(Mask, IsThePicturesLuminance) {
    const Image image{
        3, 2, 3, {0, 0, 0, 85, 0, 37, 170, 0, 74, 0, 127, 91, 85, 127, 128, 170, 127, 165}};
    const Mask pillow{3, 2, {0, 30, 59, 85, 115, 144}};
    EXPECT_EQ(mask_from_picture(image), pillow);
}

TEST(Mask, OfAnOpaquePictureWithAlphaIsTheLuminanceToo) {
    const Image image{2, 1, 4, {255, 255, 255, 255, 0, 0, 0, 255}};
    EXPECT_EQ(mask_from_picture(image), (Mask{2, 1, {255, 0}}));
}

TEST(Mask, OfAPaintedLayerIsWhatIsMoreThanHalfOpaque) {
    const Image image{4, 1, 4, {0, 0, 0, 255, 9, 9, 9, 129, 255, 255, 255, 128, 255, 255, 255, 0}};
    EXPECT_EQ(mask_from_picture(image), (Mask{4, 1, {255, 255, 0, 0}}));
}

TEST(Mask, OfAlphaRepaintsWhatIsTransparent) {
    const Image image{3, 1, 4, {1, 2, 3, 255, 1, 2, 3, 0, 1, 2, 3, 200}};
    EXPECT_EQ(mask_from_alpha(image), (Mask{3, 1, {0, 255, 55}}));
    EXPECT_TRUE(is_empty(mask_from_alpha(test_image(5, 4, 3))));
}

TEST(Mask, InvertingTwiceIsTheSame) {
    EXPECT_EQ(inverted(Mask{3, 1, {0, 100, 255}}), (Mask{3, 1, {255, 155, 0}}));
    EXPECT_EQ(inverted(inverted(square())), square());
}

TEST(Mask, KnowsWhenItIsEmptyOrFull) {
    EXPECT_TRUE(is_empty(Mask{2, 1, {0, 0}}));
    EXPECT_FALSE(is_empty(Mask{2, 1, {0, 1}}));
    EXPECT_TRUE(is_full(Mask{2, 1, {255, 255}}));
    EXPECT_FALSE(is_full(Mask{2, 1, {255, 254}}));
}

TEST(MaskBlur, GivesTheValuesThatOpenCvGives) {
    const std::vector<std::uint8_t> soft = {
        0, 0,  0,  0,  0,   0,   0,   0,   0,   0,  0,  0,   // row 0
        0, 0,  0,  1,  1,   2,   2,   2,   1,   1,  0,  0,   // row 1
        1, 2,  8,  20, 35,  46,  50,  46,  35,  20, 9,  5,   // row 2
        3, 9,  31, 74, 126, 168, 183, 168, 126, 74, 32, 17,  // row 3
        4, 11, 38, 93, 158, 211, 229, 211, 158, 93, 40, 22,  // row 4
        3, 9,  31, 74, 126, 168, 183, 168, 126, 74, 32, 17,  // row 5
        1, 2,  8,  20, 35,  46,  50,  46,  35,  20, 9,  5,   // row 6
        0, 0,  0,  1,  1,   2,   2,   2,   1,   1,  0,  0,   // row 7
        0, 0,  0,  0,  0,   0,   0,   0,   0,   0,  0,  0};  // row 8
    EXPECT_EQ(blurred(square(), 1.5, 0.7).value().values, soft);
}

TEST(MaskBlur, ReachesOverMoreThanTheWholeMaskAsOpenCvDoes) {
    const std::vector<std::uint8_t> first_row = {32, 33, 36, 38, 42, 45, 46, 46, 46, 45, 44, 43};
    const std::vector<std::uint8_t> last_column = {43, 45, 45, 46, 46, 46, 45, 45, 43};
    const Mask soft = blurred(square(), 4.0, 4.0).value();
    EXPECT_TRUE(std::equal(first_row.begin(), first_row.end(), soft.values.begin()));
    for (std::size_t y = 0; y < last_column.size(); ++y) {
        EXPECT_EQ(soft.values[12 * y + 11], last_column[y]) << y;
    }
}

TEST(MaskBlur, GoesInOneDirectionWhereTheOtherSigmaIsZero) {
    const std::vector<std::uint8_t> row = {18, 28, 57, 102, 151, 189, 203, 189, 151, 104, 66, 52};
    const Mask across = blurred(square(), 2.0, 0.0).value();
    for (std::size_t y = 0; y < 9; ++y) {
        for (std::size_t x = 0; x < 12; ++x) {
            EXPECT_EQ(across.values[12 * y + x], y >= 3 && y < 6 ? row[x] : 0);
        }
    }
    EXPECT_EQ(blurred(square(), 0.0, 0.0), square());
}

TEST(MaskBlur, KeepsEmptyMasksEmptyAndFullOnesFull) {
    EXPECT_TRUE(rc::check([] {
        const int width = *rc::gen::inRange(1, 20);
        const int height = *rc::gen::inRange(1, 20);
        const double sigma_x = *rc::gen::inRange(0, 257);
        const double sigma_y = *rc::gen::inRange(0, 257);
        const auto area = static_cast<std::size_t>(width * height);
        const Mask empty{width, height, std::vector<std::uint8_t>(area, 0)};
        const Mask full{width, height, std::vector<std::uint8_t>(area, 255)};
        RC_ASSERT(blurred(empty, sigma_x, sigma_y).value() == empty);
        RC_ASSERT(blurred(full, sigma_x, sigma_y).value() == full);
    }));
}

TEST(MaskBlur, RefusesSigmasThatCannotBe) {
    for (const double sigma : {-1.0, 256.5, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_EQ(blurred(square(), sigma, 0.0).error().kind, ErrorKind::kInvalidArgument);
        EXPECT_EQ(blurred(square(), 0.0, sigma).error().kind, ErrorKind::kInvalidArgument);
    }
    EXPECT_EQ(blurred(Mask{2, 2, {0}}, 1.0, 1.0).error().kind, ErrorKind::kInvalidArgument);
}

TEST(FitMask, LeavesAMaskOfTheRightSizeAlone) {
    const FittedMask fitted = fit_mask(square(), 12, 9).value();
    EXPECT_FALSE(fitted.was_resized);
    EXPECT_EQ(fitted.mask, square());
}

TEST(FitMask, ResizesAsPillowDoesBilinearlyAndSaysSo) {
    const Mask mask{4, 3, {0, 37, 74, 111, 91, 141, 191, 241, 182, 245, 52, 115}};
    const FittedMask larger = fit_mask(mask, 6, 4).value();
    EXPECT_TRUE(larger.was_resized);
    EXPECT_EQ(
        larger.mask, (Mask{6, 4, {0,   19,  43,  68,  93,  111, 57,  80,  109, 140, 170, 192,
                                  125, 153, 173, 146, 167, 194, 182, 214, 213, 84,  84,  115}})
    );
    EXPECT_EQ(fit_mask(mask, 2, 2).value().mask, (Mask{2, 2, {64, 130, 166, 144}}));
}

TEST(FitMask, RefusesSizesThatCannotBe) {
    EXPECT_EQ(fit_mask(square(), 0, 9).error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(fit_mask(square(), 1 << 20, 1 << 20).error().kind, ErrorKind::kExhausted);
    EXPECT_EQ(fit_mask(Mask(), 4, 4).error().kind, ErrorKind::kInvalidArgument);
}

TEST(Mask, GoesThroughAPictureUnchanged) {
    EXPECT_EQ(mask_from_channel(image_from_mask(square())), square());
}

}  // namespace
}  // namespace tessera
