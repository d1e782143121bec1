#include "tessera/upscale_metadata.h"

#include "imaging/infotext.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tessera::cli {
namespace {

const UpscaleRecord kRecord{1.5, 768, 384, "tessera-tiny-upscaler-x2", ""};

TEST(UpscaleMetadata, KeepsTheSourcesTextAndGoesOnWithIt) {
    const std::string text = "a lake\nNegative prompt: a boat\nSteps: 20, Seed: 7, Size: 512x256";
    const auto metadata = add_to_metadata({text + "\n", ""}, kRecord);
    ASSERT_TRUE(metadata);
    EXPECT_EQ(
        metadata->parameters,
        text +
            ", Postprocess upscale by: 1.5, Postprocess upscale to: 768x384, Postprocess "
            "upscaler: tessera-tiny-upscaler-x2"
    );
    EXPECT_EQ(metadata->tessera_json, "");
    const Infotext read = parse_infotext(metadata->parameters);
    EXPECT_EQ(read.prompt, "a lake");
    EXPECT_EQ(read.find("Seed"), "7");
    EXPECT_EQ(read.find("Postprocess upscale by"), "1.5");
}

TEST(UpscaleMetadata, IsReadableWithoutASourceText) {
    const auto metadata = add_to_metadata({}, kRecord);
    ASSERT_TRUE(metadata);
    const Infotext read = parse_infotext(metadata->parameters);
    EXPECT_EQ(read.prompt, "");
    EXPECT_EQ(read.find("Postprocess upscaler"), "tessera-tiny-upscaler-x2");
    EXPECT_EQ(metadata->tessera_json, "");
}

TEST(UpscaleMetadata, TakesAPromptAloneForAPrompt) {
    const auto metadata = add_to_metadata({"a lake", ""}, kRecord);
    ASSERT_TRUE(metadata);
    const Infotext read = parse_infotext(metadata->parameters);
    EXPECT_EQ(read.prompt, "a lake");
    EXPECT_EQ(read.find("Postprocess upscale by"), "1.5");
}

TEST(UpscaleMetadata, QuotesNamesThatNeedIt) {
    UpscaleRecord record = kRecord;
    record.upscaler = "sharp, at 4x: \"v2\"";
    const auto metadata = add_to_metadata({}, record);
    ASSERT_TRUE(metadata);
    EXPECT_EQ(parse_infotext(metadata->parameters).find("Postprocess upscaler"), record.upscaler);
}

TEST(UpscaleMetadata, TellsOfARepairAlone) {
    const auto metadata = add_to_metadata({}, {1.0, 64, 64, "", "tessera-tiny-restore"});
    ASSERT_TRUE(metadata);
    const Infotext read = parse_infotext(metadata->parameters);
    EXPECT_EQ(read.find("Postprocess restorer"), "tessera-tiny-restore");
    EXPECT_EQ(read.find("Postprocess upscaler"), "None");
}

TEST(UpscaleMetadata, ListsEveryTimeInTheJson) {
    auto metadata = add_to_metadata({"", R"({"version":1,"prompt":"a lake"})"}, kRecord);
    ASSERT_TRUE(metadata);
    metadata = add_to_metadata(*metadata, {2.0, 1536, 768, "Lanczos", "tessera-tiny-restore"});
    ASSERT_TRUE(metadata);
    const auto json = nlohmann::json::parse(metadata->tessera_json);
    EXPECT_EQ(json["prompt"], "a lake");
    ASSERT_EQ(json["postprocess"].size(), 2U);
    EXPECT_EQ(json["postprocess"][0]["upscaler"], "tessera-tiny-upscaler-x2");
    EXPECT_FALSE(json["postprocess"][0].contains("restorer"));
    EXPECT_EQ(json["postprocess"][1]["scale"], 2.0);
    EXPECT_EQ(json["postprocess"][1]["width"], 1536);
    EXPECT_EQ(json["postprocess"][1]["restorer"], "tessera-tiny-restore");
}

TEST(UpscaleMetadata, LeavesJsonAloneThatIsNoObject) {
    for (const char* json : {"", "[1]", "{", "nonsense"}) {
        const auto metadata = add_to_metadata({"", json}, kRecord);
        ASSERT_TRUE(metadata);
        EXPECT_EQ(metadata->tessera_json, json);
    }
}

}  // namespace
}  // namespace tessera::cli
