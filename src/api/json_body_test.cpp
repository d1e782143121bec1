#include "api/json_body.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace tessera::api {
namespace {

JsonObject parsed(const std::string& text) {
    auto body = JsonObject::parse(BodyFormat::kJson, text);
    EXPECT_TRUE(body.has_value()) << body.error().message;
    return *std::move(body);
}

std::string refusal(const std::string& text, BodyFormat format = BodyFormat::kJson) {
    const auto body = JsonObject::parse(format, text);
    if (body) {
        return "accepted";
    }
    EXPECT_EQ(body.error().kind, ErrorKind::kInvalidArgument);
    return body.error().message;
}

TEST(JsonBody, GivesItsFields) {
    JsonObject body = parsed(
        R"({"text":"x","flag":true,"count":3,"round":4.0,"real":0.5,"list":["a","b"],"none":null})"
    );
    std::string text;
    bool flag = false;
    int count = 0;
    std::optional<int> round;
    double real = 0.0;
    std::vector<std::string> list;
    std::optional<int> none;
    body.read("text", text);
    body.read("flag", flag);
    body.read("count", count);
    body.read("round", round);
    body.read("real", real);
    body.read("list", list);
    body.read("none", none);
    EXPECT_TRUE(body.finish_strictly());
    EXPECT_EQ(text, "x");
    EXPECT_TRUE(flag);
    EXPECT_EQ(count, 3);
    EXPECT_EQ(round, 4);
    EXPECT_EQ(real, 0.5);
    EXPECT_EQ(list, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(none, std::nullopt);
}

TEST(JsonBody, SaysWhichFieldIsOfAnotherTypeAndWhich) {
    JsonObject body = parsed(R"({"steps":"twenty","count":1.5,"big":3000000000})");
    std::optional<int> steps;
    body.read("steps", steps);
    int later = 7;
    body.read("count", later);
    const auto status = body.finish();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().field, "steps");
    EXPECT_EQ(status.error().error.message, "steps: it must be a whole number, not a text");
    EXPECT_EQ(later, 7) << "nothing is read after a mistake";

    JsonObject other = parsed(R"({"count":1.5})");
    other.read("count", later);
    EXPECT_NE(other.finish().error().error.message.find("not 1.5"), std::string::npos);
    JsonObject large = parsed(R"({"big":3000000000})");
    large.read("big", later);
    EXPECT_EQ(large.finish().error().field, "big");
}

TEST(JsonBody, OffersTheNearestOfTheFieldsThatThereAre) {
    JsonObject body = parsed(R"({"promt":"x"})");
    std::string prompt;
    body.read("prompt", prompt);
    const auto status = body.finish_strictly();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().field, "promt");
    EXPECT_NE(status.error().error.message.find("did you mean prompt?"), std::string::npos);
    EXPECT_TRUE(body.finish()) << "which is no mistake for those who are not strict";
}

TEST(JsonBody, NamesFieldsOfObjectsWithinByTheirPath) {
    JsonObject body = parsed(R"({"override_settings":{"model":3,"other":1},"list":[{"a":1}]})");
    auto settings = body.object("override_settings");
    ASSERT_TRUE(settings);
    auto entries = body.objects("list");
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(body.finish_strictly().error().field, "override_settings.model")
        << "nobody looked at it";
    std::string model;
    settings->read("model", model);
    EXPECT_EQ(body.finish().error().field, "override_settings.model");
}

TEST(JsonBody, RefusesWhatIsNotWellFormed) {
    EXPECT_NE(refusal("{\"a\":1").find("no valid JSON"), std::string::npos);
    EXPECT_NE(refusal("").find("no valid JSON"), std::string::npos);
    EXPECT_NE(refusal("{} x").find("no valid JSON"), std::string::npos);
    EXPECT_NE(refusal("[1]").find("must be an object, not a list"), std::string::npos);
    EXPECT_NE(refusal(R"({"a":1,"a":2})").find("\"a\" occurs twice"), std::string::npos);
    EXPECT_NE(refusal(R"({"a":1e999})").find("too large"), std::string::npos);
    EXPECT_NE(refusal("{\"a\":\"\xff\"}").find("no valid JSON"), std::string::npos);
    EXPECT_NE(refusal(std::string("{}\0{}", 5)).find("byte 3"), std::string::npos);
}

TEST(JsonBody, BoundsDepthAndNumber) {
    const auto nested = [](std::size_t depth) {
        std::string text = "{\"a\":";
        for (std::size_t i = 1; i < depth; ++i) {
            text += "[";
        }
        for (std::size_t i = 1; i < depth; ++i) {
            text += "]";
        }
        return depth == 1 ? std::string("{}") : text + "}";
    };
    EXPECT_EQ(refusal(nested(kMaxJsonDepth)), "accepted");
    EXPECT_NE(refusal(nested(kMaxJsonDepth + 1)).find("more than 32 levels"), std::string::npos);
    EXPECT_NE(refusal(nested(200'000)).find("levels"), std::string::npos);
    std::string many = "{\"a\":[0";
    for (std::size_t i = 0; i < kMaxJsonValues; ++i) {
        many += ",0";
    }
    EXPECT_NE(refusal(many + "]}").find("more than 100000 values"), std::string::npos);
}

TEST(JsonBody, ReadsMessagePackTheSame) {
    const nlohmann::json json{{"steps", 20}, {"prompt", "a lighthouse"}, {"cfg", 6.5}};
    const auto packed = nlohmann::json::to_msgpack(json);
    auto body =
        JsonObject::parse(BodyFormat::kMessagePack, std::string(packed.begin(), packed.end()));
    ASSERT_TRUE(body);
    int steps = 0;
    std::string prompt;
    double cfg = 0.0;
    body->read("steps", steps);
    body->read("prompt", prompt);
    body->read("cfg", cfg);
    ASSERT_TRUE(body->finish_strictly());
    EXPECT_EQ(steps, 20);
    EXPECT_EQ(prompt, "a lighthouse");
    EXPECT_EQ(cfg, 6.5);
}

TEST(JsonBody, RefusesHostileMessagePack) {
    constexpr auto kPack = BodyFormat::kMessagePack;
    EXPECT_NE(refusal(std::string(500'000, '\x91'), kPack).find("levels"), std::string::npos);
    EXPECT_NE(refusal("\xdf\xff\xff\xff\xff", kPack).find("MessagePack"), std::string::npos);
    EXPECT_NE(
        refusal(
            "\x81\xa1"
            "a",
            kPack
        )
            .find("MessagePack"),
        std::string::npos
    );
    // {"a": NaN}, {"a": <bytes>}, {"a": "\xff"}, {"a": 1, "a": 2}
    EXPECT_NE(
        refusal(
            std::string(
                "\x81\xa1"
                "a\xcb\x7f\xf8\0\0\0\0\0\0",
                12
            ),
            kPack
        )
            .find("finite"),
        std::string::npos
    );
    EXPECT_NE(
        refusal(
            "\x81\xa1"
            "a\xc4\x01x",
            kPack
        )
            .find("bytes"),
        std::string::npos
    );
    EXPECT_NE(
        refusal(
            "\x81\xa1"
            "a\xa1\xff",
            kPack
        )
            .find("UTF-8"),
        std::string::npos
    );
    EXPECT_NE(
        refusal(
            "\x82\xa1"
            "a\x01\xa1"
            "a\x02",
            kPack
        )
            .find("twice"),
        std::string::npos
    );
    EXPECT_NE(refusal("\x80\x80", kPack).find("MessagePack"), std::string::npos);
}

TEST(JsonBody, TakesAnyBytesWithoutHarm) {
    EXPECT_TRUE(rc::check([](const std::string& bytes) {
        for (const auto format : {BodyFormat::kJson, BodyFormat::kMessagePack}) {
            if (auto body = JsonObject::parse(format, bytes)) {
                RC_ASSERT(JsonObject::parse(BodyFormat::kJson, body->dump()).has_value());
            }
        }
    }));
}

TEST(JsonBody, KnowsItsFormatsByTheirTypes) {
    EXPECT_EQ(body_format(""), BodyFormat::kJson);
    EXPECT_EQ(body_format("application/json; charset=utf-8"), BodyFormat::kJson);
    EXPECT_EQ(body_format("application/msgpack"), BodyFormat::kMessagePack);
    EXPECT_EQ(body_format("text/plain").error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace tessera::api
