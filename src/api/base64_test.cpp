#include "api/base64.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tessera::api {
namespace {

std::string encoded(std::string_view text) {
    std::string out;
    append_base64(out, as_bytes(text));
    return out;
}

std::optional<std::string> decoded(std::string_view text) {
    const auto bytes = from_base64(text);
    return bytes ? std::optional(std::string(as_text(*bytes))) : std::nullopt;
}

TEST(Base64, HasTheTestVectorsOfRfc4648) {
    EXPECT_EQ(encoded(""), "");
    EXPECT_EQ(encoded("f"), "Zg==");
    EXPECT_EQ(encoded("fo"), "Zm8=");
    EXPECT_EQ(encoded("foo"), "Zm9v");
    EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
    EXPECT_EQ(decoded("Zm9vYg=="), "foob");
    EXPECT_EQ(decoded("Zm9vYmE="), "fooba");
}

TEST(Base64, ComesBackAsItWas) {
    EXPECT_TRUE(rc::check([](const std::string& text) {
        const std::string there = encoded(text);
        RC_ASSERT(there.size() == base64_length(text.size()));
        RC_ASSERT(decoded(there) == text);
    }));
}

TEST(Base64, LetsLineBreaksAndMissingPaddingPass) {
    EXPECT_EQ(decoded("Zm9v\r\nYg"), "foob");
    EXPECT_EQ(decoded(" Zg "), "f");
}

TEST(Base64, RefusesWhatIsNone) {
    for (const char* text : {"Z", "Zm9v!", "Zg=a", "Zg===", "Zm9v=", "Z=", "====", "Zm9-"}) {
        EXPECT_FALSE(from_base64(text)) << text;
    }
}

TEST(PictureText, ReadsDataUrlsAndBareBase64) {
    EXPECT_EQ(as_text(*read_picture_text("data:image/png;base64,Zm9v").bytes), "foo");
    EXPECT_EQ(as_text(*read_picture_text("Zm9v").bytes), "foo");
}

TEST(PictureText, TellsAddressesFromBadData) {
    EXPECT_EQ(read_picture_text("HTTPS://example.org/a.png").fault, PictureTextFault::kAddress);
    for (const char* text : {"", "data:image/png,abc", "data:", "file:///etc/passwd", "%%"}) {
        const auto read = read_picture_text(text);
        EXPECT_FALSE(read.bytes) << text;
        EXPECT_EQ(read.fault, PictureTextFault::kBadData) << text;
    }
}

}  // namespace
}  // namespace tessera::api
