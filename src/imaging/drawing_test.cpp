#include "imaging/drawing.h"

#include "imaging/codec.h"

#include <gmock/gmock.h>

#include <string>

namespace tessera {
namespace {

using testing::Each;

/// Red, but for its right half, which is empty.
const std::string kDrawing = R"(<svg xmlns="http://www.w3.org/2000/svg" width="4" height="2">)"
                             R"(<rect width="2" height="2" fill="#ff0000"/></svg>)";

TEST(Drawing, HasItsColoursOverWhite) {
    const auto image = draw_svg(kDrawing, 3.0);
    ASSERT_TRUE(image.has_value()) << image.error().message;
    ASSERT_EQ(image->width, 12);
    ASSERT_EQ(image->height, 6);
    ASSERT_EQ(image->pixels.size(), 12U * 6U * 3U);
    EXPECT_EQ(
        std::vector(image->pixels.begin(), image->pixels.begin() + 3),
        (std::vector<std::uint8_t>{255, 0, 0})
    );
    EXPECT_THAT(std::vector(image->pixels.end() - 3, image->pixels.end()), Each(255));
}

TEST(Drawing, OfSomethingElseIsRefused) {
    for (const char* other : {"", "<svg", "no drawing"}) {
        EXPECT_FALSE(draw_svg(other, 1.0).has_value()) << other;
    }
}

TEST(Drawing, LeavesTheDecoderAsItWas) {
    ASSERT_TRUE(draw_svg(kDrawing, 1.0).has_value());
    const auto decoded = decode(as_bytes(kDrawing));
    ASSERT_FALSE(decoded.has_value());
    EXPECT_EQ(decoded.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace tessera
