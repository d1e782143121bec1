#include "checkpoint/diffusers_folder.h"

#include "checkpoint/safetensors_bytes_test.h"
#include "checkpoint/temporary_folder_test.h"

#include <gmock/gmock.h>

namespace tessera {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::filesystem::path kTiny = std::filesystem::path(TESSERA_TEST_DATA) / "sd21-tiny";

TEST(DiffusersFolder, ReadsARealModel) {
    const auto model = DiffusersFolder::open(kTiny);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->class_name(), "StableDiffusionPipeline");
    EXPECT_TRUE(model->has("unet"));
    EXPECT_FALSE(model->has("safety_checker"));

    const auto unet = model->component("unet");
    ASSERT_TRUE(unet);
    EXPECT_EQ(unet->library, "diffusers");
    EXPECT_EQ(unet->class_name, "UNet2DConditionModel");
    EXPECT_EQ(unet->folder, kTiny / "unet");
    EXPECT_THAT(*model->component_config("unet"), HasSubstr("cross_attention_dim"));
    EXPECT_THAT(*model->component_config("scheduler"), HasSubstr("v_prediction"));

    const auto vae = model->weights("vae");
    ASSERT_TRUE(vae) << vae.error().message;
    EXPECT_TRUE(vae->require("encoder.conv_in.weight", {16, 3, 3, 3}));
    const auto text_encoder = model->weights("text_encoder");
    ASSERT_TRUE(text_encoder) << text_encoder.error().message;
    EXPECT_EQ(text_encoder->path().filename(), "model.safetensors");
}

class DiffusersFolderOnDisk : public TemporaryFolderTest {
  protected:
    [[nodiscard]] Result<DiffusersFolder> open(std::string_view index) const {
        put("model_index.json", index);
        return DiffusersFolder::open(folder_);
    }
};

constexpr std::string_view kIndex =
    R"({"_class_name":"StableDiffusionPipeline","_hidden":[1,2,3],"requires_safety_checker":false,)"
    R"("ratio":0.5,"name":"x","safety_checker":[null,null],"scheduler":["diffusers","DDIMScheduler"],)"
    R"("text_encoder":["transformers","CLIPTextModel"],"unet":["diffusers","UNet2DConditionModel"]})";

TEST_F(DiffusersFolderOnDisk, TellsComponentsFromSettings) {
    const auto model = open(kIndex);
    ASSERT_TRUE(model) << model.error().message;
    std::vector<std::string> names;
    for (const Component& component : model->components()) {
        names.push_back(component.name);
    }
    EXPECT_EQ(names, (std::vector<std::string>{"scheduler", "text_encoder", "unet"}));
    EXPECT_EQ(model->option("requires_safety_checker"), "false");
    EXPECT_EQ(model->option("ratio"), "0.5");
    EXPECT_EQ(model->option("name"), "\"x\"");
    EXPECT_EQ(model->option("_class_name"), std::nullopt);
    EXPECT_EQ(model->component("safety_checker").error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(model->component("vae").error().kind, ErrorKind::kNotFound);
}

TEST_F(DiffusersFolderOnDisk, NamesAllFoldersThatHalfAModelLacks) {
    const auto model = open(kIndex);
    ASSERT_TRUE(model);
    std::filesystem::create_directory(folder_ / "scheduler");
    const auto unet = model->weights("unet");
    ASSERT_FALSE(unet);
    EXPECT_EQ(unet.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(
        unet.error().message, AllOf(HasSubstr("half a model"), HasSubstr("text_encoder, unet;"))
    );
    const auto config = model->component_config("scheduler");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message, HasSubstr("scheduler has no scheduler_config.json"));
}

TEST_F(DiffusersFolderOnDisk, PrefersFullPrecisionThenOneFileThenTheVariant) {
    const auto model = open(kIndex);
    ASSERT_TRUE(model);
    const auto file = safetensors_bytes(R"({"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})");
    const auto found = [&]() {
        const auto weights = model->weights("unet");
        return weights ? weights->path().filename().string() : weights.error().message;
    };
    const std::filesystem::path unet = "unet";
    put(unet / "shard.safetensors", file);
    const std::string index = R"({"weight_map":{"w":"shard.safetensors"}})";
    const std::vector<std::pair<std::string, std::string>> worst_first{
        {"diffusion_pytorch_model.fp16.safetensors.index.json", index},
        {"diffusion_pytorch_model.safetensors.fp16.index.json", index},
        {"diffusion_pytorch_model.safetensors.index.fp16.json", index},
        {"diffusion_pytorch_model.fp16.safetensors", file},
        {"diffusion_pytorch_model.safetensors.index.json", index},
        {"diffusion_pytorch_model.safetensors", file},
    };
    for (const auto& [name, content] : worst_first) {
        put(unet / name, content);
        EXPECT_EQ(found(), name);
    }
}

TEST_F(DiffusersFolderOnDisk, SaysWhyPicklesAreNotLoadedAndHowToConvert) {
    const auto model = open(kIndex);
    ASSERT_TRUE(model);
    put("unet/diffusion_pytorch_model.bin", "anything");
    const auto weights = model->weights("unet");
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().kind, ErrorKind::kUnsupported);
    EXPECT_THAT(
        weights.error().message,
        AllOf(
            HasSubstr("diffusion_pytorch_model.bin"),
            HasSubstr("pickle"),
            HasSubstr("safe_serialization=True")
        )
    );
}

TEST_F(DiffusersFolderOnDisk, NamesTheWeightFileThatIsMissing) {
    const auto model = open(kIndex);
    ASSERT_TRUE(model);
    put("text_encoder/config.json", "{}");
    const auto weights = model->weights("text_encoder");
    ASSERT_FALSE(weights);
    EXPECT_EQ(weights.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(weights.error().message, HasSubstr("text_encoder has no model.safetensors"));
}

TEST_F(DiffusersFolderOnDisk, ComponentNamesNeverBecomePaths) {
    for (const char* name : {"../up", "/etc", "a/b", ".", "..", ""}) {
        const auto model = open(fmt::format(R"({{"{}":["diffusers","X"]}})", name));
        ASSERT_FALSE(model) << name;
        EXPECT_THAT(model.error().message, HasSubstr("is not a plain folder name"));
    }
}

TEST_F(DiffusersFolderOnDisk, RefusesEntriesThatAreNeither) {
    for (const char* entry :
         {"{}", "[]", R"(["diffusers"])", R"(["a","b","c"])", R"([null,"b"])", R"(["a",1])"}) {
        const auto model = open(fmt::format(R"({{"unet":{}}})", entry));
        ASSERT_FALSE(model) << entry;
        EXPECT_THAT(
            model.error().message, HasSubstr(R"("unet" is neither [library, class] nor a plain)")
        );
    }
    EXPECT_FALSE(open(R"({"_class_name":"X"})"));
    EXPECT_FALSE(open("[]"));
}

TEST_F(DiffusersFolderOnDisk, SaysWhatIsNotAModel) {
    const auto missing = DiffusersFolder::open(folder_ / "none");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(missing.error().message, HasSubstr("there is no model at"));

    const auto empty = DiffusersFolder::open(folder_);
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_THAT(empty.error().message, HasSubstr("name the folder that holds model_index.json"));
}

}  // namespace
}  // namespace tessera
