#include "http/target.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera::http {
namespace {

TEST(ParseTarget, DecodesPathAndQuery) {
    const auto target = parse_target("/a%20b/%E9%9B%AA?x=1+2&y=%26&x=3&z");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->path, "/a b/雪");
    EXPECT_EQ(target->raw_path, "/a%20b/%E9%9B%AA");
    EXPECT_EQ(target->query.at("x"), "3");
    EXPECT_EQ(target->query.at("y"), "&");
    EXPECT_EQ(target->query.at("z"), "");
}

TEST(ParseTarget, KnowsTheOtherForms) {
    EXPECT_EQ(parse_target("*")->path, "*");
    EXPECT_EQ(parse_target("http://host:1/a?b=c")->path, "/a");
    EXPECT_EQ(parse_target("http://host?b=c")->query.at("b"), "c");
}

TEST(ParseTarget, RefusesWhatMeansNothing) {
    for (const auto* text :
         {"",
          "a",
          "host:443",
          "/%",
          "/%4",
          "/%zz",
          "/%00",
          "/%0a",
          "/#x",
          "/%ff",
          "/?a=%00",
          "/?a=%ff"}) {
        EXPECT_FALSE(parse_target(text)) << text;
    }
}

TEST(PercentCoding, ComesBackAsItWas) {
    EXPECT_TRUE(rc::check([] {
        const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(0x20, 0x7F));
        RC_ASSERT(percent_decode(percent_encode(text)) == text);
        RC_ASSERT(percent_decode(percent_encode("雪" + text)) == "雪" + text);
    }));
}

}  // namespace
}  // namespace tessera::http
