#include "tessera/quantity.h"

#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

TEST(Quantity, ShowsBytesInThreeDigits) {
    EXPECT_EQ(format_bytes(0), "0 bytes");
    EXPECT_EQ(format_bytes(999), "999 bytes");
    EXPECT_EQ(format_bytes(1'700'000'000), "1.7 GB");
    EXPECT_EQ(format_bytes(25'300'000), "25 MB");
}

TEST(Quantity, ReadsBytes) {
    EXPECT_EQ(parse_bytes("20GB").value(), 20'000'000'000U);
    EXPECT_EQ(parse_bytes("1.5 gib").value(), 1'610'612'736U);
    EXPECT_EQ(parse_bytes("0").value(), 0U);
    for (const std::string text :
         {"", "GB", "-1", "1 lightyear", "1e30", "99999999999TB", "1..2"}) {
        EXPECT_FALSE(parse_bytes(text)) << text;
    }
}

TEST(Quantity, ShowsTimeAsPeopleSayIt) {
    EXPECT_EQ(format_seconds(0.84), "0.8 s");
    EXPECT_EQ(format_seconds(45.4), "45 s");
    EXPECT_EQ(format_seconds(200.0), "3 min 20 s");
    EXPECT_EQ(format_seconds(7500.0), "2 h 5 min");
}

TEST(Quantity, ReadsSizesWhateverTheySay) {
    EXPECT_EQ(parse_width_height("512x768").value(), std::pair(512, 768));
    EXPECT_EQ(parse_width_height("-8X0").value(), std::pair(-8, 0));
    for (const std::string text : {"", "x", "8", "8x", "x8", "8x8x8", "8 x 8", "99999999999x8"}) {
        EXPECT_FALSE(parse_width_height(text)) << text;
    }
}

}  // namespace
}  // namespace tessera::cli
