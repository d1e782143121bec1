#include "tessera/init_picture.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <stop_token>

namespace tessera::cli {
namespace {

const std::filesystem::path kPictures = TESSERA_TEST_DATA "/imaging";

TEST(InitPicture, ComesOutOfTheSandboxWhole) {
    const auto picture = read_init_picture(kPictures / "gradient.png");
    ASSERT_TRUE(picture) << picture.error().message;
    EXPECT_EQ(picture->image.width, 24);
    EXPECT_EQ(picture->image.height, 16);
    EXPECT_EQ(picture->sha256.size(), 64U);
}

TEST(InitPicture, NamesTheFileThatIsRefused) {
    const auto picture = read_init_picture(kPictures / "bomb.png");
    ASSERT_FALSE(picture);
    EXPECT_EQ(picture.error().kind, ErrorKind::kExhausted);
    EXPECT_NE(
        picture.error().message.find("bomb.png: the picture claims 50000x50000"), std::string::npos
    );
}

TEST(InitPicture, StopsWhenAsked) {
    std::stop_source source;
    source.request_stop();
    const auto picture = read_init_picture(kPictures / "gradient.png", source.get_token());
    ASSERT_FALSE(picture);
    EXPECT_EQ(picture.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace tessera::cli
