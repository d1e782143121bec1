#include "api/loose_fields_internal.h"

#include <gtest/gtest.h>

#include <string>

namespace tessera::api {
namespace {

TEST(LooseBody, IsAnObjectWithinLimits) {
    EXPECT_TRUE(parse_loose_body("{\"a\":[1,{}]}"));
    EXPECT_TRUE(parse_loose_body("", true));
    const std::string deep(40, '[');
    const auto cases = {
        std::string(),
        std::string("[]"),
        std::string("{"),
        std::string("{\"a\":1,\"a\":2}"),
        "{\"a\":" + deep + std::string(40, ']') + "}",
        std::string("{\"a\":\"\xFF\"}"),
        std::string("nonsense"),
    };
    for (const std::string& body : cases) {
        const auto parsed = parse_loose_body(body);
        ASSERT_FALSE(parsed) << body;
        EXPECT_EQ(parsed.error().error.kind, ErrorKind::kInvalidArgument);
        EXPECT_FALSE(parsed.error().error.message.empty());
    }
}

TEST(LooseFields, TakeWhatLenientServersTake) {
    const Json json = Json::parse(R"({"a":"20","b":7.0,"c":1,"d":"true","e":null,"f":"0.5"})");
    const LooseFields fields(json);
    EXPECT_EQ(fields.whole("a").value(), 20);
    EXPECT_EQ(fields.whole("b").value(), 7);
    EXPECT_EQ(fields.flag("c").value(), true);
    EXPECT_EQ(fields.flag("d").value(), true);
    EXPECT_EQ(fields.text("e").value(), std::nullopt);
    EXPECT_EQ(fields.real("f").value(), 0.5);
    EXPECT_FALSE(fields.has("e"));
}

TEST(LooseFields, FaultsNameTheFieldAndWhatItHolds) {
    const Json json = Json::parse(
        R"({"n":"many","f":1.5,"t":5,"l":["a",1],"p":"http://a/b","q":"?","big":1e300,"s":2})"
    );
    const LooseFields fields(json);
    const auto message = [](const auto& checked) {
        return checked ? std::string("no fault") : checked.error().error.message;
    };
    EXPECT_EQ(message(fields.whole("n")), "n must be a whole number, not \"many\"");
    EXPECT_EQ(message(fields.whole("f")), "f must be a whole number, not 1.5");
    EXPECT_EQ(message(fields.text("t")), "t must be a text, not 5");
    EXPECT_EQ(message(fields.texts("l")), "l must be a list of texts, not 1");
    EXPECT_EQ(message(fields.flag("s")), "s must be true or false, not 2");
    EXPECT_EQ(message(fields.whole("s", 3, 4)), "s must be a whole number from 3 to 4, not 2");
    EXPECT_EQ(message(fields.choice("n", {"a", "b"})), "n must be one of a, b, not \"many\"");
    EXPECT_FALSE(fields.whole("big"));
    EXPECT_EQ(fields.picture("p").error().error.kind, ErrorKind::kUnsupported);
    EXPECT_EQ(fields.picture("q").error().field, "q");
}

}  // namespace
}  // namespace tessera::api
