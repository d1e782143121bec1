#include "prompt/prompt_language.h"

#include "prompt/clip_test.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <cmath>

namespace tessera {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

PromptOptions with_steps(std::size_t steps) {
    PromptOptions options;
    options.steps.steps = steps;
    return options;
}

ParsedPrompt parsed(std::string_view prompt, const PromptOptions& options = with_steps(10)) {
    return parse_prompt(prompt, clip_for_tests(), options).value();
}

std::string error_of(std::string_view prompt) {
    const auto result = parse_prompt(prompt, clip_for_tests(), with_steps(20));
    if (result) {
        return "none";
    }
    EXPECT_EQ(result.error().kind, ErrorKind::kInvalidArgument);
    return result.error().message;
}

std::vector<std::string> texts(const PromptPart& part) {
    std::vector<std::string> texts;
    for (const PromptVariant& variant : part.variants) {
        texts.push_back(variant.text);
    }
    return texts;
}

TEST(PromptLanguage, GoesFromTagsToWeightedChunks) {
    const auto prompt =
        parsed("a [red:(blue:1.3):4] cat <lora:ink:0.5> :1.5 AND (dog) BREAK [a|the] sea");
    ASSERT_THAT(prompt.tags, SizeIs(1));
    EXPECT_EQ(prompt.tags[0].name, "ink");
    EXPECT_THAT(prompt.remarks, IsEmpty());
    ASSERT_THAT(prompt.parts, SizeIs(2));
    const PromptPart& cat = prompt.parts[0];
    EXPECT_EQ(cat.weight, 1.5);
    EXPECT_THAT(texts(cat), ElementsAre("a red cat", "a (blue:1.3) cat"));
    EXPECT_THAT(cat.schedule, ElementsAre(ScheduledVariant{4, 0}, ScheduledVariant{10, 1}));
    EXPECT_THAT(cat.variants[0].chunks[0].weights, Each(1));
    EXPECT_EQ(cat.variants[1].chunks[0].weights[2], 1.3F);
    const PromptPart& sea = prompt.parts[1];
    EXPECT_EQ(sea.weight, 1);
    EXPECT_THAT(texts(sea), ElementsAre(" (dog) BREAK a sea", " (dog) BREAK the sea"));
    ASSERT_THAT(sea.schedule, SizeIs(10));
    EXPECT_EQ(sea.schedule[9], (ScheduledVariant{10, 1}));
    EXPECT_THAT(sea.variants[0].chunks, SizeIs(2));
}

TEST(PromptLanguage, GivesAllVariantsOfAPartEquallyManyChunks) {
    const auto prompt = parsed("[cat:cat BREAK dog:5]");
    const auto& variants = prompt.parts[0].variants;
    EXPECT_THAT(variants[0].chunks, SizeIs(2));
    EXPECT_EQ(variants[0].chunks[1], empty_chunk(clip_for_tests()));
    EXPECT_THAT(variants[1].chunks, SizeIs(2));
    EXPECT_EQ(variants[0].tokens, 1U);
}

TEST(PromptLanguage, TakesPlainPromptsAsTheyStand) {
    PromptOptions plain = with_steps(10);
    plain.syntax = PromptSyntax::kPlain;
    const std::string text = "a (red:1.5) [a|b] cat AND <lora:x:1> BREAK (";
    const auto prompt = parsed(text, plain);
    ASSERT_THAT(prompt.parts, SizeIs(1));
    EXPECT_THAT(texts(prompt.parts[0]), ElementsAre(text));
    EXPECT_THAT(prompt.tags, IsEmpty());
    EXPECT_THAT(prompt.remarks, IsEmpty());
    EXPECT_EQ(
        prompt.parts[0].variants[0].chunks[0].ids, clip_for_tests().chunks(text).value()[0].ids
    );
}

TEST(PromptLanguage, HasNeitherTagsNorAndInNegativePrompts) {
    PromptOptions negative = with_steps(10);
    negative.role = PromptRole::kNegative;
    const std::string text = "bad AND <lora:x:1> [worse:5] :1.5";
    const auto prompt = parsed(text, negative);
    ASSERT_THAT(prompt.parts, SizeIs(1));
    EXPECT_EQ(prompt.parts[0].weight, 1);
    EXPECT_THAT(
        texts(prompt.parts[0]),
        ElementsAre("bad AND <lora:x:1>  :1.5", "bad AND <lora:x:1> worse :1.5")
    );
    EXPECT_THAT(prompt.tags, IsEmpty());
    EXPECT_THAT(
        prompt.remarks,
        ElementsAre(HasSubstr("the tag <lora:x> is only words"), HasSubstr("AND is only a word"))
    );
}

TEST(PromptLanguage, RemarksCountCharactersOfTheWholePrompt) {
    EXPECT_THAT(
        parsed("\u00E9 <lora:x:1> (cat AND dog) <lora:y:z>").remarks,
        ElementsAre(
            HasSubstr("<lora:y:z>"),
            HasSubstr("\"(\" at character 14 is never closed"),
            HasSubstr("\")\" at character 26 closes nothing")
        )
    );
    EXPECT_THAT(parsed("a AND b|c").remarks, ElementsAre(HasSubstr("the \"|\" at character 8")));
    EXPECT_THAT(error_of("a AND (cat:1e9)"), HasSubstr("\"1e9\" at character 11"));
}

TEST(PromptLanguage, RemarksOnlyOnceWhateverTheVariants) {
    EXPECT_THAT(parsed("[a|b|c] (d").remarks, ElementsAre(HasSubstr("character 9")));
    EXPECT_THAT(parsed("[a|b|c] embedding:zz").remarks, ElementsAre(HasSubstr("\"zz\"")));
}

TEST(PromptLanguage, RemarksOnAWeightOfTheWholePrompt) {
    const auto prompt = parsed("a cat at 16:9");
    EXPECT_EQ(prompt.parts[0].weight, 9);
    EXPECT_THAT(prompt.remarks, ElementsAre(HasSubstr("the weight 9 of the whole prompt")));
    const auto escaped = parsed("a cat at 16:\\9");
    EXPECT_EQ(escaped.parts[0].weight, 1);
    EXPECT_THAT(escaped.remarks, IsEmpty());
}

TEST(PromptLanguage, FindsInstalledEmbeddings) {
    const auto names = EmbeddingNames::make({{"moody", 3}}, clip_for_tests()).value();
    PromptOptions options = with_steps(10);
    options.embeddings = &names;
    const auto prompt = parsed("(moody:0.5), embedding:Moody", options);
    EXPECT_THAT(prompt.remarks, IsEmpty());
    EXPECT_THAT(
        prompt.parts[0].variants[0].chunks[0].embeddings,
        ElementsAre(EmbeddingUse{1, 0, 3}, EmbeddingUse{5, 0, 3})
    );
}

TEST(PromptLanguage, RefusesHostilePromptsWithOneSentence) {
    EXPECT_THAT(error_of("\xFF"), HasSubstr("byte 0 (0xff) is not valid UTF-8"));
    EXPECT_THAT(error_of(std::string(65'537, 'a')), HasSubstr("the limit is 65536 bytes"));
    EXPECT_THAT(error_of("((a:20):20)"), HasSubstr("make its weight 400"));
    std::string breaks;
    for (int i = 0; i < 5000; ++i) {
        breaks += "BREAK ";
    }
    EXPECT_THAT(error_of(breaks), HasSubstr("more than 4096 chunks"));
    std::string changing = "[a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s|t]";
    changing += breaks.substr(0, 6 * 300);
    EXPECT_THAT(error_of(changing), HasSubstr("more than 4096 chunks"));
}

TEST(PromptLanguage, CountsTokensOfTheLongestVariant) {
    const auto count = [](std::string_view prompt) {
        const TokenCount counted = count_tokens(parsed(prompt));
        return std::array<std::size_t, 3>{counted.tokens, counted.limit, counted.chunks};
    };
    EXPECT_THAT(count(""), ElementsAre(0, 75, 1));
    EXPECT_THAT(count("a cat"), ElementsAre(2, 75, 1));
    EXPECT_THAT(count("[a cat:a red cat, seen from far away:5] AND dog"), ElementsAre(8, 75, 1));
    EXPECT_THAT(count("a BREAK b"), ElementsAre(76, 150, 2));
    EXPECT_THAT(count("a BREAK"), ElementsAre(75, 75, 1));
}

TEST(PromptLanguage, KeepsItsPromisesForAnyPrompt) {
    rc::check([] {
        const auto pieces = *rc::gen::container<std::vector<std::string>>(
            rc::gen::elementOf(std::vector<std::string>{
                "(",    ")",     "[",          "]",           ":",      "|",     "\\",
                " ",    "cat",   ",",          "BREAK",       " AND ",  "1.5",   ":3]",
                ":.5]", ":1.2)", "<lora:x:1>", "embedding:x", "\u00E9", "[a|b]", "\n"})
        );
        std::string text;
        for (const std::string& piece : pieces) {
            text += piece;
        }
        const auto prompt = parse_prompt(text, clip_for_tests(), with_steps(12));
        if (!prompt) {
            RC_ASSERT(prompt.error().kind == ErrorKind::kInvalidArgument);
            return;
        }
        for (const PromptPart& part : prompt->parts) {
            RC_ASSERT(part.schedule.back().end_at_step == 12U);
            for (const PromptVariant& variant : part.variants) {
                RC_ASSERT(variant.chunks.size() == part.variants[0].chunks.size());
                for (const PromptChunk& chunk : variant.chunks) {
                    RC_ASSERT(chunk.ids.size() == 77U);
                    for (const float weight : chunk.weights) {
                        RC_ASSERT(std::isfinite(weight));
                    }
                }
            }
        }
    });
}

}  // namespace
}  // namespace tessera
