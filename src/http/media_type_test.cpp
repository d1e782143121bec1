#include "http/media_type.h"

#include <gtest/gtest.h>

#include <array>

namespace tessera::http {
namespace {

constexpr std::array<std::string_view, 2> kOffers{"application/json", "application/msgpack"};

TEST(ParseParameterized, ReadsTokensAndQuotedStrings) {
    const auto parsed = parse_parameterized(R"( Form-Data ; NAME="a \"b\" c:\d"; filename = x)");
    EXPECT_FALSE(parsed);  // no space may stand round "="
    const auto sound = parse_parameterized(R"( Form-Data ; NAME="a \"b\" c:\d";x=y;)");
    ASSERT_TRUE(sound);
    EXPECT_EQ(sound->value, "form-data");
    EXPECT_EQ(sound->parameter("name"), R"(a "b" c:\d)");
    EXPECT_EQ(sound->parameter("x"), "y");
    EXPECT_FALSE(sound->parameter("z"));
}

TEST(ParseParameterized, RefusesWhatIsBroken) {
    for (const auto* text : {"", ";", "a/", "/b", "a/b c", "a/b; x", "a/b; x=\"y", "a/b; =y"}) {
        EXPECT_FALSE(parse_parameterized(text)) << text;
    }
}

TEST(PreferredType, FollowsQualityThenOurOrder) {
    EXPECT_EQ(preferred_type("", kOffers), 0U);
    EXPECT_EQ(preferred_type("*/*", kOffers), 0U);
    EXPECT_EQ(preferred_type("application/msgpack", kOffers), 1U);
    EXPECT_EQ(preferred_type("application/json;q=0.5, application/*", kOffers), 1U);
    EXPECT_EQ(preferred_type("application/json;q=0, */*;q=0.1", kOffers), 1U);
    EXPECT_EQ(preferred_type("text/html, application/xml;q=0.9, */*;q=0.8", kOffers), 0U);
    EXPECT_EQ(preferred_type("text/html", kOffers), std::nullopt);
    EXPECT_EQ(preferred_type("application/json;q=2", kOffers), std::nullopt);
}

}  // namespace
}  // namespace tessera::http
