#include "imaging/foreign_json.h"

#include "imaging/metadata_file_test.h"

#include <gmock/gmock.h>

namespace tessera {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ForeignJson, ReadsSwarmui) {
    const auto read = read_swarmui_parameters(metadata_file("swarmui.json"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->program, "SwarmUI");
    EXPECT_EQ(read->prompt, "a headshot photograph, sharp");
    EXPECT_EQ(read->negative_prompt, "blurry");
    EXPECT_EQ(read->model, "OfficialStableDiffusion/v1-5");
    EXPECT_EQ(read->seed, 2042464333U);
    EXPECT_EQ(read->steps, 25);
    EXPECT_EQ(read->cfg, 7.0);
    EXPECT_EQ(read->width, 512);
    EXPECT_EQ(read->height, 768);
    EXPECT_EQ(read->sampler, "dpmpp_2m");
    EXPECT_EQ(read->scheduler, "karras");
    EXPECT_EQ(read->clip_skip, 2);
    EXPECT_EQ(read->variation, (ForeignVariation{7, 0.25}));
    EXPECT_THAT(read->loras, ElementsAre(ForeignLora{"add_detail", 0.5, 0.5}));
    EXPECT_THAT(read->not_honoured, ElementsAre("\"refinermethod: PostApply\" is not known here"));
    EXPECT_TRUE(check_complete(*read));
}

TEST(ForeignJson, SwarmuisOwnSamplerIsTheOneItDoesNotWrite) {
    const auto read = read_swarmui_parameters(R"({"sui_image_params":{"prompt":"a"}})");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->sampler, "euler");
    EXPECT_EQ(read->scheduler, "normal");
}

TEST(ForeignJson, ReadsInvokeai) {
    const auto read = read_invokeai_parameters(metadata_file("invokeai.json"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->prompt, "landscape++");
    EXPECT_EQ(read->model, "amixx_3Prunedfp16");
    EXPECT_EQ(read->sampler, "dpmpp_2m_sde");
    EXPECT_EQ(read->scheduler, "karras");
    EXPECT_EQ(read->clip_skip, 2);
    EXPECT_EQ(read->cfg, 7.5);
    EXPECT_FALSE(read->from_picture);
    EXPECT_EQ(read->noise, ForeignNoise::kTorchCpu);
    EXPECT_THAT(read->loras, ElementsAre(ForeignLora{"add_detail", 0.75, 0.75}));
    EXPECT_THAT(
        read->not_honoured,
        ElementsAre(
            HasSubstr("another VAE than the model's own was used, sd-vae-ft-mse"),
            HasSubstr("mean emphasis to InvokeAI"),
            HasSubstr("dpmpp_2m_sde draws noise"),
            HasSubstr("\"controlnets: ...\"")
        )
    );
    EXPECT_TRUE(check_complete(*read));
}

TEST(ForeignJson, ReadsNovelai) {
    const auto read = read_novelai_parameters(metadata_file("novelai.json"), "not this one");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->prompt, "{{masterpiece}}, 1 girl");
    EXPECT_EQ(read->negative_prompt, "lowres, [blurry]");
    EXPECT_EQ(read->sampler, "k_euler_ancestral");
    EXPECT_EQ(read->cfg_rescale, 0.1);
    EXPECT_FALSE(read->from_picture);
    EXPECT_EQ(read->noise, ForeignNoise::kOther);
    EXPECT_THAT(
        read->not_honoured,
        ElementsAre(
            HasSubstr("models and its starting noise"),
            HasSubstr("mean emphasis to NovelAI"),
            "\"sm: true\" is not known here"
        )
    );
    EXPECT_EQ(read_novelai_parameters(R"({"steps":5})", "an old prompt")->prompt, "an old prompt");
}

TEST(ForeignJson, LiesAreNamed) {
    const auto swarm = [](const std::string& fields) {
        return read_swarmui_parameters("{\"sui_image_params\":{" + fields + "}}").error().message;
    };
    EXPECT_THAT(swarm(R"("steps":-5)"), HasSubstr("\"steps: -5\""));
    EXPECT_THAT(swarm(R"("seed":1e40)"), HasSubstr("no seed"));
    EXPECT_THAT(swarm(R"("loras":[["a"]],"loraweights":[1])"), HasSubstr("LoRAs is damaged"));
    EXPECT_THAT(swarm(R"("loras":["a"],"loraweights":["x"])"), HasSubstr("loraweights: x"));
    EXPECT_EQ(read_swarmui_parameters("{}").error().kind, ErrorKind::kUnsupported);
    EXPECT_EQ(read_swarmui_parameters("{\"a\":").error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(read_invokeai_parameters("\xFF").error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(
        read_invokeai_parameters(R"({"clip_skip":200})").error().message, HasSubstr("clip_skip")
    );
    EXPECT_TRUE(read_invokeai_parameters(R"({"model":[],"loras":{},"steps":null})"));
    EXPECT_TRUE(read_novelai_parameters(R"({"prompt":[1],"v4_prompt":5})", "\xFF"));
}

}  // namespace
}  // namespace tessera
