#include "checkpoint/names.h"

#include "base/similar_name.h"

#include <gmock/gmock.h>

#include <array>

namespace tessera {
namespace {

TEST(Names, QuotesWhatATerminalWouldObey) {
    EXPECT_EQ(in_quotes("conv_in.weight"), "\"conv_in.weight\"");
    EXPECT_EQ(in_quotes("\x1b[2J\n"), R"("\x1b[2J\n")");
    EXPECT_EQ(in_quotes("\xff"), R"("\xff")");
    EXPECT_THAT(in_quotes(std::string(100'000, 'x')), testing::SizeIs(testing::Lt(300U)));
}

TEST(Names, PlainFileNamesAreNoPaths) {
    EXPECT_TRUE(is_plain_file_name("model-00001-of-00002.safetensors"));
    EXPECT_TRUE(is_plain_file_name("text_encoder_2"));
    const std::array<std::string, 10> paths{
        "",
        ".",
        "..",
        ".hidden",
        "a/b",
        "/etc/passwd",
        "..\\x",
        "a\nb",
        std::string(1, '\0'),
        std::string(256, 'x')};
    for (const std::string& path : paths) {
        EXPECT_FALSE(is_plain_file_name(path)) << path;
    }
}

TEST(Names, TheMostSimilarIsTheOneWithTheFewestEdits) {
    const std::array<std::string_view, 3> names{
        "mid.attentions.0.to_q.weight", "mid.attentions.0.to_q.bias", "conv_in.weight"};
    EXPECT_EQ(most_similar("mid.attentions.0.to_k.weight", names), names[0]);
    EXPECT_EQ(most_similar("mid.attention.0.to_q.bias", names), names[1]);
    EXPECT_EQ(most_similar("time_embedding", names), "");
    EXPECT_EQ(most_similar("", names), "");
}

}  // namespace
}  // namespace tessera
