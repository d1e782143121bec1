#include "imaging/resize_mode.h"

#include "imaging/resize.h"
#include "imaging/testing_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

Image small_picture() {
    Image image{4, 3, 3, {}};
    for (int y = 0; y < 3; ++y) {
        for (int x = 0; x < 4; ++x) {
            for (const int value : {x * 255 / 4, y * 255 / 3, (x * 37 + y * 91) % 256}) {
                image.pixels.push_back(static_cast<std::uint8_t>(value));
            }
        }
    }
    return image;
}

TEST(ResizeMode, StretchesOrCutsAsItsNameSays) {
    const Image image = test_image(20, 12, 3);
    EXPECT_EQ(resize_by_mode(image, ResizeMode::kJustResize, 9, 9), resize(image, 9, 9).value());
    EXPECT_EQ(
        resize_by_mode(image, ResizeMode::kCropAndResize, 9, 9), crop_to_fill(image, 9, 9).value()
    );
}

TEST(ResizeMode, FillsAboveAndBelowAsA1111Does) {
    const std::vector<std::uint8_t> a1111 = {
        0, 0,   0,   63, 0,   26,  127, 0,   63,  191, 0,   100,  // beyond the top
        0, 0,   0,   63, 0,   26,  127, 0,   63,  191, 0,   100,  // beyond the top
        0, 0,   0,   63, 0,   37,  127, 0,   74,  191, 0,   111,  // the picture
        0, 85,  91,  63, 85,  128, 127, 85,  165, 191, 85,  202,  // the picture
        0, 170, 182, 63, 170, 219, 127, 170, 0,   191, 170, 37,   // the picture
        0, 181, 193, 63, 181, 230, 127, 181, 0,   191, 181, 16};  // beyond the bottom
    EXPECT_EQ(
        resize_by_mode(small_picture(), ResizeMode::kResizeAndFill, 4, 6).value().pixels, a1111
    );
}

TEST(ResizeMode, FillsLeftAndRightAndLeavesNoBlackLine) {
    // A1111's last column is black: half of an odd difference is rounded down twice.
    const std::vector<std::uint8_t> expected = {
        0,   0,   0,   0,   0,   0,   63,  0,   37,  127, 0,
        74,  191, 0,   111, 199, 0,   116, 199, 0,   116,  // row 0
        0,   85,  86,  0,   85,  91,  63,  85,  128, 127, 85,
        165, 191, 85,  202, 199, 85,  207, 199, 85,  207,  // row 1
        0,   170, 177, 0,   170, 182, 63,  170, 219, 127, 170,
        0,   191, 170, 37,  199, 170, 42,  199, 170, 42};  // row 2
    EXPECT_EQ(
        resize_by_mode(small_picture(), ResizeMode::kResizeAndFill, 7, 3).value().pixels, expected
    );
}

TEST(ResizeMode, GivesTheSizeAskedOfAnyShape) {
    EXPECT_TRUE(rc::check([] {
        const Image image =
            test_image(*rc::gen::inRange(1, 60), *rc::gen::inRange(1, 60), *rc::gen::element(3, 4));
        const int width = *rc::gen::inRange(1, 60);
        const int height = *rc::gen::inRange(1, 60);
        const auto mode = *rc::gen::element(
            ResizeMode::kJustResize, ResizeMode::kCropAndResize, ResizeMode::kResizeAndFill
        );
        const Image out = resize_by_mode(image, mode, width, height).value();
        RC_ASSERT(is_well_formed(out));
        RC_ASSERT(out.width == width && out.height == height && out.channels == image.channels);
    }));
}

TEST(ResizeMode, DoesToAMaskWhatItDoesToItsPicture) {
    const Mask mask{2, 1, {0, 255}};
    EXPECT_EQ(
        resize_by_mode(mask, ResizeMode::kResizeAndFill, 2, 3),
        (Mask{2, 3, {0, 255, 0, 255, 0, 255}})
    );
}

TEST(ResizeMode, RefusesWhatCannotBe) {
    const Image image = small_picture();
    for (const int mode : {0, 1, 2}) {
        const auto resized = [&](int width, int height) {
            return resize_by_mode(image, static_cast<ResizeMode>(mode), width, height);
        };
        EXPECT_EQ(resized(0, 4).error().kind, ErrorKind::kInvalidArgument);
        EXPECT_EQ(resized(1 << 15, 1 << 15).error().kind, ErrorKind::kExhausted);
    }
    EXPECT_EQ(
        resize_by_mode(image, static_cast<ResizeMode>(3), 4, 4).error().kind,
        ErrorKind::kInvalidArgument
    );
    EXPECT_EQ(
        resize_by_mode(Mask(), ResizeMode::kResizeAndFill, 4, 4).error().kind,
        ErrorKind::kInvalidArgument
    );
}

}  // namespace
}  // namespace tessera
