#include "base/file.h"
#include "checkpoint/diffusers_folder.h"
#include "models/autoencoder_kl.h"
#include "models/clip_text_model.h"
#include "models/onnx_file.h"
#include "models/unet2d_condition_model.h"

#include <gmock/gmock.h>
#include <onnx/checker.h>

#include <filesystem>

namespace tessera {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Component {
    std::string config;
    Weights weights;
};

Component component(const char* model, const char* name) {
    const auto folder = DiffusersFolder::open(fs::path(TESSERA_TEST_DATA) / model);
    EXPECT_TRUE(folder) << folder.error().message;
    return {folder->component_config(name).value(), folder->weights(name).value()};
}

std::vector<OnnxModel> all_networks(const char* model, GraphDialect dialect) {
    const auto text = component(model, "text_encoder");
    const auto unet = component(model, "unet");
    const auto vae = component(model, "vae");
    const auto vae_config = AutoencoderKlConfig::parse(vae.config).value();
    return {
        write_clip_text_model(ClipTextConfig::parse(text.config).value(), text.weights, dialect)
            .value(),
        write_unet2d_condition_model(
            UNet2DConditionConfig::parse(unet.config).value(), unet.weights, dialect
        )
            .value(),
        write_vae_decoder(vae_config, vae.weights, dialect).value(),
        write_vae_encoder(vae_config, vae.weights, dialect).value(),
    };
}

class ExportedNetworks : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "tessera-onnx-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { fs::remove_all(folder_); }

    fs::path folder_;
};

TEST_P(ExportedNetworks, PassTheOnnxChecker) {
    for (const auto& network : all_networks(GetParam(), GraphDialect::kOnnx)) {
        ASSERT_TRUE(write_onnx_file(network, folder_));
        const auto path = (folder_ / (network.name + ".onnx")).string();
        EXPECT_NO_THROW(onnx::checker::check_model(path)) << network.name;
    }
}

TEST_P(ExportedNetworks, UseStandardOperatorsOnly) {
    for (const auto& network : all_networks(GetParam(), GraphDialect::kOnnx)) {
        EXPECT_THAT(network.proto, testing::Not(HasSubstr("com.microsoft"))) << network.name;
    }
}

INSTANTIATE_TEST_SUITE_P(Goldens, ExportedNetworks, testing::Values("sd15-tiny", "sd21-tiny"));

/// The sd15-tiny UNet's configuration with one line of it replaced.
std::string unet_config(const std::string& line, const std::string& replacement) {
    auto config = component("sd15-tiny", "unet").config;
    const auto at = config.find(line);
    EXPECT_NE(at, std::string::npos) << line;
    return config.replace(at, line.size(), replacement);
}

TEST(UNetConfig, NamesTheOptionThatIsNotSupported) {
    const auto timestep_classes = UNet2DConditionConfig::parse(
        unet_config(R"("class_embed_type": null)", R"("class_embed_type": "timestep")")
    );
    ASSERT_FALSE(timestep_classes);
    EXPECT_EQ(timestep_classes.error().kind, ErrorKind::kUnsupported);
    EXPECT_THAT(timestep_classes.error().message, HasSubstr("class_embed_type"));

    const auto block =
        UNet2DConditionConfig::parse(unet_config(R"("CrossAttnUpBlock2D")", R"("AttnUpBlock2D")"));
    ASSERT_FALSE(block);
    EXPECT_THAT(block.error().message, HasSubstr("AttnUpBlock2D"));
}

TEST(UNetConfig, RefusesWidthsThatCannotBeSplit) {
    const auto groups = UNet2DConditionConfig::parse(
        unet_config(R"("norm_num_groups": 32)", R"("norm_num_groups": 24)")
    );
    ASSERT_FALSE(groups);
    EXPECT_EQ(groups.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_THAT(groups.error().message, HasSubstr("norm_num_groups"));
}

TEST(UNetConfig, RefusesWhatIsNotJson) {
    for (const char* bad : {"", "[]", "{", "{\"block_out_channels\": \"many\"}", "{}"}) {
        EXPECT_FALSE(UNet2DConditionConfig::parse(bad)) << bad;
    }
}

TEST(Networks, ReportAMisshapenTensorByNameWithBothShapes) {
    const auto unet = component("sd15-tiny", "unet");
    const auto config = UNet2DConditionConfig::parse(
        unet_config(R"("cross_attention_dim": 16)", R"("cross_attention_dim": 24)")
    );
    ASSERT_TRUE(config) << config.error().message;
    const auto model = write_unet2d_condition_model(*config, unet.weights, GraphDialect::kOnnx);
    ASSERT_FALSE(model);
    EXPECT_THAT(model.error().message, HasSubstr("attn2.to_k.weight"));
    EXPECT_THAT(model.error().message, HasSubstr("24"));
    EXPECT_THAT(model.error().message, HasSubstr("16"));
    EXPECT_THAT(model.error().message, HasSubstr("more tensors"));
}

TEST(Networks, ReportAMissingTensorByName) {
    const auto text = component("sd15-tiny", "text_encoder");
    auto config = ClipTextConfig::parse(text.config).value();
    config.num_hidden_layers = 4;
    const auto model = write_clip_text_model(config, text.weights, GraphDialect::kOnnx);
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(model.error().message, HasSubstr("encoder.layers.3."));
}

TEST(Networks, ClipSkipLeavesOutLayersAndTheirWeights) {
    const auto text = component("sd15-tiny", "text_encoder");
    const auto config = ClipTextConfig::parse(text.config).value();
    const auto whole =
        write_clip_text_model(config, text.weights, GraphDialect::kOnnx, {.clip_skip = 1});
    const auto skipped =
        write_clip_text_model(config, text.weights, GraphDialect::kOnnx, {.clip_skip = 2});
    ASSERT_TRUE(whole && skipped);
    EXPECT_LT(skipped->weights.size(), whole->weights.size());
    EXPECT_FALSE(write_clip_text_model(config, text.weights, GraphDialect::kOnnx, {.clip_skip = 0})
    );
    EXPECT_FALSE(write_clip_text_model(
        config, text.weights, GraphDialect::kOnnx, {.clip_skip = config.num_hidden_layers + 1}
    ));
}

TEST(Networks, ListTheParametersOfStableDiffusion) {
    // Counts as published for runwayml/stable-diffusion-v1-5.
    const auto count = [](const std::vector<Parameter>& parameters) {
        std::size_t sum = 0;
        for (const auto& parameter : parameters) {
            sum += element_count(parameter.shape);
        }
        return sum;
    };
    const auto unet = UNet2DConditionConfig::parse(R"({
        "block_out_channels": [320, 640, 1280, 1280], "cross_attention_dim": 768,
        "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
                             "CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
                           "CrossAttnUpBlock2D"]})");
    ASSERT_TRUE(unet) << unet.error().message;
    EXPECT_EQ(count(unet2d_condition_parameters(*unet)), 859520964U);

    const auto text = ClipTextConfig::parse(R"({"hidden_size": 768, "intermediate_size": 3072,
        "num_hidden_layers": 12, "num_attention_heads": 12})");
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(count(clip_text_parameters(*text)), 123060480U);

    const auto vae = AutoencoderKlConfig::parse(R"({
        "block_out_channels": [128, 256, 512, 512], "layers_per_block": 2,
        "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D",
                             "DownEncoderBlock2D"],
        "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D",
                           "UpDecoderBlock2D"]})");
    ASSERT_TRUE(vae) << vae.error().message;
    EXPECT_EQ(count(autoencoder_kl_parameters(*vae)), 83653863U);
}

TEST(Networks, TheSameCheckpointGivesTheSameGraph) {
    const auto first = all_networks("sd21-tiny", GraphDialect::kOrtCpu);
    const auto second = all_networks("sd21-tiny", GraphDialect::kOrtCpu);
    for (std::size_t i = 0; i < first.size(); ++i) {
        EXPECT_EQ(first[i].proto, second[i].proto) << first[i].name;
    }
}

}  // namespace
}  // namespace tessera
