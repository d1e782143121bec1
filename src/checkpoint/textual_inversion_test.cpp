#include "checkpoint/textual_inversion.h"

#include "checkpoint/safetensors_writer.h"
#include "checkpoint/temporary_folder_test.h"

#include <gmock/gmock.h>

#include <limits>
#include <span>

namespace tessera {
namespace {

using testing::HasSubstr;

class TextualInversionFile : public TemporaryFolderTest {
  protected:
    /// A file with tensors of those shapes, all of that value.
    std::filesystem::path with(
        const std::string& name,
        const std::vector<std::pair<std::string, Shape>>& shapes,
        float value = 0.5F
    ) const {
        std::vector<std::vector<float>> values;
        std::vector<NamedTensor> tensors;
        for (const auto& [key, shape] : shapes) {
            values.emplace_back(element_count(shape), value);
        }
        for (std::size_t i = 0; i < shapes.size(); ++i) {
            tensors.push_back(
                {shapes[i].first,
                 {DType::kF32, shapes[i].second, std::as_bytes(std::span(values[i]))}}
            );
        }
        EXPECT_TRUE(write_safetensors(folder_ / name, tensors));
        return folder_ / name;
    }

    static std::string refusal(const std::filesystem::path& path, ErrorKind kind) {
        const auto refused = read_textual_inversion(path);
        EXPECT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, kind);
        EXPECT_THAT(refused.error().message, HasSubstr(path.filename().string()));
        return refused.error().message;
    }
};

TEST_F(TextualInversionFile, HasTheNameOfItsFileAndItsVectors) {
    const auto embedding =
        read_textual_inversion(with("ink.safetensors", {{"emb_params", {3, 8}}}));
    ASSERT_TRUE(embedding) << embedding.error().message;
    EXPECT_EQ(embedding->name, "ink");
    EXPECT_EQ(embedding->sha256.size(), 64U);
    ASSERT_NE(embedding->of_width(8), nullptr);
    EXPECT_EQ(embedding->of_width(8)->shape, (Shape{3, 8}));
    EXPECT_EQ(embedding->of_width(8)->values.front(), 0.5F);
    EXPECT_EQ(embedding->of_width(16), nullptr);
}

TEST_F(TextualInversionFile, OfDiffusersIsASingleVector) {
    const auto embedding = read_textual_inversion(with("cat.safetensors", {{"<cat-toy>", {8}}}));
    ASSERT_TRUE(embedding) << embedding.error().message;
    EXPECT_EQ(embedding->of_width(8)->shape, (Shape{1, 8}));
}

TEST_F(TextualInversionFile, ForSdxlHasVectorsForBothEncoders) {
    const auto path = with("xl.safetensors", {{"clip_g", {2, 16}}, {"clip_l", {2, 8}}});
    const auto embedding = read_textual_inversion(path);
    ASSERT_TRUE(embedding) << embedding.error().message;
    EXPECT_NE(embedding->of_width(8), nullptr);
    EXPECT_NE(embedding->of_width(16), nullptr);
}

TEST_F(TextualInversionFile, IsRefusedWhenItIsSomethingElse) {
    EXPECT_THAT(
        refusal(put("old.pt", "PK"), ErrorKind::kUnsupported),
        HasSubstr("convert it to safetensors")
    );
    EXPECT_THAT(
        refusal(with("lora.safetensors", {{"up", {320, 4, 1, 1}}}), ErrorKind::kUnsupported),
        HasSubstr("no textual-inversion")
    );
    EXPECT_THAT(
        refusal(with("long.safetensors", {{"emb_params", {76, 8}}}), ErrorKind::kUnsupported),
        HasSubstr("[76, 8]")
    );
    refusal(
        with("nan.safetensors", {{"emb_params", {1, 8}}}, std::numeric_limits<float>::quiet_NaN()),
        ErrorKind::kCorrupt
    );
    refusal(put("cut.safetensors", "xx"), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace tessera
