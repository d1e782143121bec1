#include "tessera/prompt_file.h"

#include "tessera/shell_words.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tessera::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

using Option = PictureOption;

PromptFile parsed(std::string_view text) {
    auto file = parse_prompts(text);
    EXPECT_TRUE(file) << file.error().message;
    return file.value_or(PromptFile());
}

PromptLine one_line(std::string_view text) {
    const PromptFile file = parsed(text);
    EXPECT_THAT(file.bad_lines, IsEmpty()) << file.bad_lines.front().problem;
    EXPECT_EQ(file.lines.size(), 1U);
    return file.lines.empty() ? PromptLine() : file.lines.front();
}

std::string problem(std::string_view text) {
    const PromptFile file = parsed(text);
    EXPECT_THAT(file.lines, IsEmpty()) << text;
    EXPECT_EQ(file.bad_lines.size(), 1U);
    return file.bad_lines.empty() ? "" : file.bad_lines.front().problem;
}

TEST(PromptFile, IsOnePromptALine) {
    const PromptFile file = parsed(
        "\xEF\xBB\xBF"
        "a lake at dawn\r\n\r\n  # not this\n\ta 'lake' -- \"at\" dusk \n   \n一座灯塔"
    );
    EXPECT_THAT(file.bad_lines, IsEmpty());
    ASSERT_EQ(file.lines.size(), 3U);
    EXPECT_EQ(file.lines[0].number, 1U);
    EXPECT_THAT(file.lines[0].changes, ElementsAre(Pair(Option::kPrompt, "a lake at dawn")));
    EXPECT_EQ(file.lines[1].number, 4U);
    EXPECT_EQ(file.lines[1].text, "a 'lake' -- \"at\" dusk");
    EXPECT_THAT(
        file.lines[1].changes, ElementsAre(Pair(Option::kPrompt, "a 'lake' -- \"at\" dusk"))
    );
    EXPECT_EQ(file.lines[2].number, 6U);
    EXPECT_FALSE(file.lines[2].count);
    EXPECT_EQ(parsed("").lines.size(), 0U);
}

TEST(PromptFile, TakesA1111sOptions) {
    const PromptLine line = one_line(
        R"x(--prompt "a lake, (dawn:1.2)" --negative_prompt boats and people --steps 20 --seed -1 )x"
        R"(--sampler_name "Euler a" --cfg_scale 7 --width 512 --height 768 --n_iter 2 )"
        R"(--batch_size 3 --subseed 5 --subseed_strength 0.25 --seed_resize_from_w 64 )"
        R"(--seed_resize_from_h 96 --styles cinematic --tiling false --outpath_samples x)"
    );
    EXPECT_THAT(
        line.changes,
        UnorderedElementsAre(
            Pair(Option::kPrompt, "a lake, (dawn:1.2)"),
            Pair(Option::kNegative, "boats and people"),
            Pair(Option::kSteps, "20"),
            Pair(Option::kSeed, "-1"),
            Pair(Option::kSampler, "Euler a"),
            Pair(Option::kCfg, "7"),
            Pair(Option::kSize, "512x768"),
            Pair(Option::kVariationSeed, "5"),
            Pair(Option::kVariationStrength, "0.25"),
            Pair(Option::kSeedResize, "64x96"),
            Pair(Option::kStyle, "cinematic")
        )
    );
    EXPECT_EQ(line.count, 6);
}

TEST(PromptFile, TakesRendersOwnOptions) {
    const PromptLine line = one_line("--size 64x64 --cfg 2 --count 4 --restore on --prompt x");
    EXPECT_THAT(
        line.changes,
        UnorderedElementsAre(
            Pair(Option::kSize, "64x64"),
            Pair(Option::kCfg, "2"),
            Pair(Option::kRestore, "on"),
            Pair(Option::kPrompt, "x")
        )
    );
    EXPECT_EQ(line.count, 4);
    EXPECT_THAT(
        one_line("--steps 5").changes,
        UnorderedElementsAre(Pair(Option::kSteps, "5"), Pair(Option::kPrompt, ""))
    );
}

TEST(PromptFile, ABadLineSpoilsNoOther) {
    const PromptFile file = parsed("one\n--steps many\ntwo\n\xFF\nthree");
    EXPECT_EQ(file.lines.size(), 3U);
    ASSERT_EQ(file.bad_lines.size(), 2U);
    EXPECT_EQ(file.bad_lines[0].number, 2U);
    EXPECT_THAT(file.bad_lines[0].problem, HasSubstr("steps \"many\""));
    EXPECT_EQ(file.bad_lines[1].number, 4U);
}

TEST(PromptFile, NamesWhatIsWrong) {
    EXPECT_THAT(problem("--stepps 5"), HasSubstr("did you mean --steps?"));
    EXPECT_THAT(problem("--zzzzzzzzzz 5"), HasSubstr("no option --zzzzzzzzzz"));
    EXPECT_THAT(problem("--steps"), HasSubstr("--steps has no value"));
    EXPECT_THAT(problem("--steps 5 6"), HasSubstr("\"6\" is no option"));
    EXPECT_THAT(problem("--prompt \"a"), HasSubstr("not closed"));
    EXPECT_THAT(problem("--prompt a\\"), HasSubstr("lone \\"));
    EXPECT_THAT(problem("--prompt a --prompt b"), HasSubstr("--prompt is there twice"));
    EXPECT_THAT(problem("--width 64"), HasSubstr("--width and --height go together"));
    EXPECT_THAT(problem("--width 64 --height 64 --size 8x8"), HasSubstr("twice"));
    EXPECT_THAT(problem("--width 64.5 --height 64"), HasSubstr("--width 64.5"));
    EXPECT_THAT(problem("--n_iter 1001"), HasSubstr("take 1 to 1000"));
    EXPECT_THAT(problem("--n_iter 1000 --batch_size 2"), HasSubstr("2000 pictures"));
    EXPECT_THAT(problem("--tiling true"), HasSubstr("not possible here"));
    EXPECT_THAT(problem("--sampler_name Eluer"), HasSubstr("Eluer"));
    EXPECT_THAT(problem(std::string_view("a\0b", 3)), HasSubstr("NUL"));
    EXPECT_THAT(problem(std::string(70'000, 'a')), HasSubstr("70000 bytes long"));
}

TEST(PromptFile, EndsSomewhere) {
    std::string many;
    for (int line = 0; line < 100'001; ++line) {
        many += "a\n";
    }
    EXPECT_EQ(parse_prompts(many).error().kind, ErrorKind::kExhausted);
    EXPECT_TRUE(parse_prompts(std::string_view(many).substr(2)));
}

TEST(PromptFile, IsReadFromADisk) {
    const auto path =
        std::filesystem::temp_directory_path() / fmt::format("tessera-prompts-{}.txt", ::getpid());
    std::ofstream(path) << "a\nb\n";
    EXPECT_EQ(read_prompts(path.string()).value(), "a\nb\n");
    std::filesystem::remove(path);
    EXPECT_EQ(read_prompts(path.string()).error().kind, ErrorKind::kNotFound);
}

TEST(PromptFile, AnyTextIsNoDanger) {
    EXPECT_TRUE(rc::check([](const std::string& text) {
        const auto file = parse_prompts(text + "\n--prompt " + text + "\n--" + text);
        RC_ASSERT(file.has_value());
        for (const PromptLine& line : file->lines) {
            RC_ASSERT(!line.changes.empty());
        }
    }));
}

TEST(ShellWords, AreThoseOfAShell) {
    EXPECT_THAT(
        split_words(R"(a  "b c"'d' 'e "f' "g \" \\ \n" h\ i "" '' j\"k)").value(),
        ElementsAre("a", "b cd", "e \"f", "g \" \\ \\n", "h i", "", "", "j\"k")
    );
    EXPECT_THAT(split_words(" \t ").value(), IsEmpty());
    EXPECT_FALSE(split_words("'a"));
}

}  // namespace
}  // namespace tessera::cli
