#include "imaging/gaussian_blur.h"

#include "imaging/testing_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

TEST(GaussianBlur, GivesTheValuesThatPillowGives) {
    Image image{6, 4, 3, {}};
    for (int y = 0; y < 4; ++y) {
        for (int x = 0; x < 6; ++x) {
            for (const int value : {x * 255 / 6, y * 255 / 4, (x * 37 + y * 91) % 256}) {
                image.pixels.push_back(static_cast<std::uint8_t>(value));
            }
        }
    }
    const std::vector<std::uint8_t> pillow = {
        45, 64,  82, 63, 64,  91, 90, 64,  103, 122, 64,  114, 149, 64,  125, 167, 64,  131,
        45, 83,  85, 63, 83,  93, 90, 83,  104, 122, 83,  115, 149, 83,  125, 167, 83,  132,
        45, 108, 87, 63, 108, 94, 90, 108, 104, 122, 108, 116, 149, 108, 126, 167, 108, 133,
        45, 127, 89, 63, 127, 96, 90, 127, 105, 122, 127, 117, 149, 127, 127, 167, 127, 134};
    EXPECT_EQ(gaussian_blurred(image, 2.0F).pixels, pillow);
}

TEST(GaussianBlur, OfNoWidthChangesNothing) {
    const Image image = test_image(13, 7, 4);
    EXPECT_EQ(gaussian_blurred(image, 0.0F), image);
}

TEST(GaussianBlur, KeepsAnEvenAreaEven) {
    EXPECT_TRUE(rc::check([] {
        const auto level = *rc::gen::inRange<std::uint8_t>(0, 255);
        const int width = *rc::gen::inRange(1, 20);
        const Image image{
            width, 3, 3, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * 9, level)};
        RC_ASSERT(gaussian_blurred(image, *rc::gen::element(0.4F, 3.0F, 256.0F)) == image);
    }));
}

}  // namespace
}  // namespace tessera
