#include "imaging/resize.h"

#include "imaging/codec.h"
#include "imaging/testing_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

Image load(const std::string& name) {
    auto image = decode(as_bytes(test_file(name)));
    EXPECT_TRUE(image) << name;
    return image.value_or(Image());
}

TEST(Resize, GivesThePixelsThatPillowGives) {
    const struct {
        const char* name;
        int width;
        int height;
    } sizes[] = {{"down", 7, 5}, {"up", 61, 40}, {"mixed", 48, 4}};
    for (const auto& size : sizes) {
        const std::string expected = std::string("pillow_") + size.name;
        EXPECT_EQ(resize(load("gradient.png"), size.width, size.height), load(expected + ".png"))
            << size.name;
        EXPECT_EQ(
            resize(load("alpha.webp"), size.width, size.height), load(expected + "_alpha.png")
        ) << size.name;
    }
}

TEST(Resize, HasPillowsOtherFiltersToo) {
    const Image image{
        2, 3, 3, {0, 37, 74, 111, 0, 128, 91, 141, 191, 241, 64, 32, 182, 245, 52, 115, 255, 9}};
    EXPECT_EQ(
        resize(image, 4, 2, Resampling::kBicubic).value().pixels,
        (std::vector<std::uint8_t>{23,  74,  123, 56,  58,  115, 134, 26,  101, 173, 12,  93,
                                   153, 215, 114, 156, 208, 86,  162, 195, 32,  165, 188, 5})
    );
    EXPECT_EQ(
        resize(image, 4, 2, Resampling::kBilinear).value().pixels,
        (std::vector<std::uint8_t>{34,  76,  118, 66,  63,  112, 128, 37,  99, 160, 24,  92,
                                   148, 206, 104, 152, 201, 82,  159, 189, 40, 162, 183, 18})
    );
}

TEST(Resize, TheSameSizeIsTheSamePicture) {
    for (const int channels : {3, 4}) {
        const Image image = test_image(13, 7, channels);
        EXPECT_EQ(resize(image, 13, 7), image);
        EXPECT_EQ(crop_to_fill(image, 13, 7), image);
    }
}

TEST(Resize, AnEvenAreaStaysEven) {
    EXPECT_TRUE(rc::check([] {
        const int level = *rc::gen::inRange(0, 256);
        const Image image{
            9, 5, 3, std::vector<std::uint8_t>(135, static_cast<std::uint8_t>(level))};
        const auto out = resize(image, *rc::gen::inRange(1, 40), *rc::gen::inRange(1, 40));
        RC_ASSERT(out.has_value());
        RC_ASSERT(is_well_formed(*out));
        for (const std::uint8_t value : out->pixels) {
            RC_ASSERT(value == level);
        }
    }));
}

TEST(Resize, FillingIsResizingThenCutting) {
    EXPECT_TRUE(rc::check([] {
        const Image image = test_image(*rc::gen::inRange(1, 40), *rc::gen::inRange(1, 40), 3);
        const int width = *rc::gen::inRange(1, 40);
        const int height = *rc::gen::inRange(1, 40);
        const auto filled = crop_to_fill(image, width, height);
        RC_ASSERT(filled.has_value());

        const bool is_wider = width * image.height > height * image.width;
        const int full_width = is_wider ? width : image.width * height / image.height;
        const int full_height = is_wider ? image.height * width / image.width : height;
        const Image full = resize(image, full_width, full_height).value();
        Image expected{width, height, 3, {}};
        for (int y = 0; y < height; ++y) {
            const int row = (full_height / 2 - height / 2 + y) * full_width;
            const int start = 3 * (row + full_width / 2 - width / 2);
            expected.pixels.insert(
                expected.pixels.end(),
                full.pixels.begin() + start,
                full.pixels.begin() + start + 3 * width
            );
        }
        RC_ASSERT(*filled == expected);
    }));
}

TEST(Resize, AnExtremeShapeCostsNoMoreThanItsResult) {
    const auto filled = crop_to_fill(test_image(1, 16000, 3), 512, 512);
    ASSERT_TRUE(filled);
    EXPECT_EQ(filled->pixels.size(), 512U * 512U * 3U);
}

TEST(Resize, RefusesSizesThatCannotBe) {
    const Image image = test_image(4, 4, 3);
    EXPECT_EQ(resize(image, 0, 4).error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(crop_to_fill(image, 4, -1).error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(resize(image, 1 << 20, 1 << 20).error().kind, ErrorKind::kExhausted);
    EXPECT_EQ(resize(Image(), 4, 4).error().kind, ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace tessera
