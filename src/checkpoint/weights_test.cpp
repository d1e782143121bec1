#include "checkpoint/weights.h"

#include "checkpoint/safetensors_writer.h"
#include "checkpoint/temporary_folder_test.h"

#include <gmock/gmock.h>

namespace tessera {
namespace {

using testing::HasSubstr;

class WeightsTest : public TemporaryFolderTest {
  protected:
    /// A file with one F32 tensor of shape [2] per name.
    std::filesystem::path put_shard(const std::string& file, const std::vector<std::string>& names)
        const {
        static const std::vector<float> values{1.0F, 2.0F};
        std::vector<NamedTensor> tensors;
        tensors.reserve(names.size());
        for (const std::string& name : names) {
            tensors.push_back({name, {DType::kF32, {2}, std::as_bytes(std::span(values))}});
        }
        EXPECT_TRUE(write_safetensors(folder_ / file, tensors));
        return folder_ / file;
    }

    [[nodiscard]] std::string error_of(std::string_view index) const {
        const auto path = put("model.safetensors.index.json", index);
        const auto weights = Weights::open(path);
        if (weights) {
            return "none";
        }
        EXPECT_THAT(weights.error().message, testing::StartsWith(path.string()));
        return weights.error().message.substr(path.string().size() + 2);
    }
};

constexpr std::string_view kIndex =
    R"({"metadata":{"total_size":24},"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors",)"
    R"("c":"m-2.safetensors"}})";

TEST_F(WeightsTest, FindsTensorsInOneFile) {
    const auto weights = Weights::open(put_shard("model.safetensors", {"b", "a"}));
    ASSERT_TRUE(weights) << weights.error().message;
    EXPECT_EQ(weights->names(), (std::vector<std::string_view>{"a", "b"}));
    EXPECT_EQ(weights->total_bytes(), 16U);
    EXPECT_EQ(to_floats(*weights->find("a")), (std::vector<float>{1.0F, 2.0F}));
    EXPECT_EQ(weights->find("c"), nullptr);
}

TEST_F(WeightsTest, FindsTensorsInShards) {
    put_shard("m-1.safetensors", {"a"});
    put_shard("m-2.safetensors", {"b", "c", "unmapped"});
    const auto weights = Weights::open(put("model.safetensors.index.json", kIndex));
    ASSERT_TRUE(weights) << weights.error().message;
    EXPECT_EQ(weights->names(), (std::vector<std::string_view>{"a", "b", "c", "unmapped"}));
    EXPECT_EQ(weights->total_bytes(), 32U);
    EXPECT_TRUE(weights->require("c", {2}));
}

TEST_F(WeightsTest, ReportsAMissingTensorWithTheNearestName) {
    const auto path = put_shard("model.safetensors", {"conv_in.weight", "conv_out.bias"});
    const auto missing = Weights::open(path)->require("conv_im.weight", {320, 4, 3, 3});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(
        missing.error().message,
        path.string() +
            R"(: tensor "conv_im.weight" of shape [320, 4, 3, 3] is missing (the nearest name is )"
            R"("conv_in.weight"); these weights are incomplete or belong to another config.json)"
    );
}

TEST_F(WeightsTest, ReportsAMisshapenTensorWithBothShapes) {
    const auto path = put_shard("model.safetensors", {"w"});
    const auto misshapen = Weights::open(path)->require("w", {2, 1});
    ASSERT_FALSE(misshapen);
    EXPECT_EQ(misshapen.error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(
        misshapen.error().message,
        path.string() + R"(: tensor "w" has shape [2] where [2, 1] is expected; these weights )"
                        "belong to another config.json"
    );
}

TEST_F(WeightsTest, RefusesATensorInTwoShards) {
    put_shard("m-1.safetensors", {"a"});
    put_shard("m-2.safetensors", {"a", "b", "c"});
    EXPECT_EQ(error_of(kIndex), R"(tensor "a" is in more than one file)");
}

TEST_F(WeightsTest, RefusesATensorThatIsNotInItsShard) {
    put_shard("m-1.safetensors", {"a", "c"});
    put_shard("m-2.safetensors", {"b"});
    EXPECT_EQ(
        error_of(kIndex),
        R"(tensor "c" is not in "m-2.safetensors", where the index puts it; download both again)"
    );
}

TEST_F(WeightsTest, AMissingShardIsHalfAModel) {
    put_shard("m-1.safetensors", {"a"});
    EXPECT_EQ(
        error_of(kIndex),
        R"(half a model: the file "m-2.safetensors" that it names is missing; download it)"
    );
}

TEST_F(WeightsTest, ACorruptShardIsNamed) {
    put_shard("m-1.safetensors", {"a"});
    put("m-2.safetensors", "");
    EXPECT_THAT(error_of(kIndex), HasSubstr("m-2.safetensors: the file is empty"));
}

TEST_F(WeightsTest, ShardNamesNeverBecomePaths) {
    put_shard("m-1.safetensors", {"a"});
    for (const char* name :
         {"../m-1.safetensors",
          "/m-1.safetensors",
          ".safetensors",
          "m-1.bin",
          "x\\\\m.safetensors",
          "x/m-1.safetensors",
          ""}) {
        const auto index = fmt::format(R"({{"weight_map":{{"a":"{}"}}}})", name);
        EXPECT_THAT(error_of(index), HasSubstr("is not the plain name of a safetensors file"));
    }
}

TEST_F(WeightsTest, RefusesAnIndexThatIsNone) {
    constexpr auto* kNoMap = "there is no weight_map of tensors to files";
    EXPECT_EQ(error_of("{}"), kNoMap);
    EXPECT_EQ(error_of(R"({"weight_map":[]})"), kNoMap);
    EXPECT_EQ(error_of(R"({"weight_map":{}})"), kNoMap);
    EXPECT_EQ(error_of(R"({"weight_map":{"a":1}})"), R"(the file of tensor "a" is not a text)");
    EXPECT_THAT(
        error_of(R"({"weight_map":{"a":"m.safetensors","a":"n.safetensors"}})"),
        HasSubstr(R"(the key "a" occurs twice)")
    );
}

TEST_F(WeightsTest, IdentityChangesWhenAnyShardIsReplaced) {
    put_shard("m-1.safetensors", {"a"});
    put_shard("m-2.safetensors", {"b", "c"});
    const auto index = put("model.safetensors.index.json", kIndex);
    const auto before = Weights::open(index)->identity();
    EXPECT_EQ(Weights::open(index)->identity(), before);
    put_shard("m-2.safetensors", {"b", "c"});
    EXPECT_NE(Weights::open(index)->identity(), before);
}

TEST_F(WeightsTest, ACopyKeepsTheViewsAlive) {
    std::optional<Weights> copy;
    {
        const auto weights = Weights::open(put_shard("model.safetensors", {"w"}));
        ASSERT_TRUE(weights);
        copy = *weights;
    }
    EXPECT_EQ(to_floats(*copy->require("w", {2})), (std::vector<float>{1.0F, 2.0F}));
}

}  // namespace
}  // namespace tessera
