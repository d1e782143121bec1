#include "inference/cache_manifest.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>

namespace tessera {
namespace {

CacheManifest manifest() {
    return {
        .identity = {.name = "unet", .content_key = "c0ffee", .fingerprint = "cpu=some; l2=1"},
        .graph_bytes = 1234,
        .graph_checksum = "abc",
        .weights_bytes = 5'000'000'000,
    };
}

void expect_corrupt(const std::string& text) {
    const auto parsed = CacheManifest::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text.substr(0, 100);
    EXPECT_EQ(parsed.error().kind, ErrorKind::kCorrupt);
}

TEST(CacheManifest, ComesBackAsWritten) {
    const auto parsed = CacheManifest::parse(manifest().to_json());
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_EQ(*parsed, manifest());
}

TEST(CacheManifest, NamesEachFieldThatIsMissingOrOfAnotherType) {
    const auto whole = nlohmann::json::parse(manifest().to_json());
    for (const auto& [field, value] : whole.items()) {
        for (const auto& wrong : {nlohmann::json(), nlohmann::json(-1), nlohmann::json({1, 2})}) {
            auto changed = whole;
            changed[field] = wrong;
            const auto parsed = CacheManifest::parse(changed.dump());
            ASSERT_FALSE(parsed.has_value()) << field;
            EXPECT_EQ(parsed.error().kind, ErrorKind::kCorrupt);
            EXPECT_NE(parsed.error().message.find(field), std::string::npos);
        }
    }
}

TEST(CacheManifest, RefusesAnotherFormat) {
    auto changed = nlohmann::json::parse(manifest().to_json());
    changed["format"] = 2;
    expect_corrupt(changed.dump());
}

TEST(CacheManifest, RefusesEveryTruncation) {
    const std::string whole = manifest().to_json();
    for (std::size_t length = 0; length < whole.find('}'); ++length) {
        expect_corrupt(whole.substr(0, length));
    }
}

TEST(CacheManifest, SurvivesDeepNesting) {
    expect_corrupt(std::string(60000, '['));
    std::string objects;
    for (int i = 0; i < 10000; ++i) {
        objects += "{\"a\":";
    }
    expect_corrupt(objects);
}

TEST(CacheManifest, NeverFailsOtherwiseThanCorrupt) {
    EXPECT_TRUE(rc::check([](const std::string& text) {
        const auto parsed = CacheManifest::parse(text);
        RC_ASSERT(!parsed.has_value());
        RC_ASSERT(parsed.error().kind == ErrorKind::kCorrupt);
    }));
}

TEST(EngineIdentity, HasAKeyOfItsOwn) {
    const EngineIdentity one = manifest().identity;
    EngineIdentity name = one;
    name.name = "vae";
    EngineIdentity content = one;
    content.content_key = "c0ffef";
    EngineIdentity fingerprint = one;
    fingerprint.fingerprint = "cpu=other; l2=1";
    EXPECT_EQ(one.key().size(), 32U);
    EXPECT_EQ(one.key(), manifest().identity.key());
    EXPECT_NE(one.key(), name.key());
    EXPECT_NE(one.key(), content.key());
    EXPECT_NE(one.key(), fingerprint.key());
}

}  // namespace
}  // namespace tessera
