#include "prompt/clip_words.h"

#include "base/utf8.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace tessera {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string normalized(std::string_view text, bool lower_case = true) {
    return to_utf8(normalized_prompt(text, lower_case));
}

std::vector<std::string> words(std::string_view text, bool lower_case = true) {
    const std::vector<std::u32string> special{U"<|startoftext|>", U"<|endoftext|>"};
    const std::u32string points = normalized_prompt(text, lower_case);
    std::vector<std::string> found;
    for (const std::u32string_view word : prompt_words(points, special)) {
        found.push_back(to_utf8(word));
    }
    return found;
}

TEST(NormalizedPrompt, ComposesLettersAndMarks) {
    EXPECT_EQ(normalized("cafe\u0301"), "caf\u00E9");
    EXPECT_EQ(normalized("\u1112\u1161\u11AB"), "\uD55C");
    EXPECT_EQ(normalized("\u212B", false), "\u00C5");
    // Marks are put into canonical order first: dot below (220) before dot above (230).
    EXPECT_EQ(normalized("s\u0307\u0323"), "\u1E69");
    EXPECT_EQ(normalized("q\u0307\u0323"), "q\u0323\u0307");
    // Excluded from composition.
    EXPECT_EQ(normalized("\u0958"), "\u0915\u093C");
}

TEST(NormalizedPrompt, OrdersALongRunOfMarks) {
    std::string mixed = "q";
    std::string ordered = "q";
    constexpr int kPairs = 20'000;
    for (int i = 0; i < kPairs; ++i) {
        mixed += "\u0307\u0323";
        ordered += "\u0323";
    }
    for (int i = 0; i < kPairs; ++i) {
        ordered += "\u0307";
    }
    EXPECT_EQ(normalized(mixed), ordered);
}

TEST(NormalizedPrompt, LowersCaseOnlyWhenAsked) {
    EXPECT_EQ(normalized("A Photo, \u0416\u00C9"), "a photo, \u0436\u00E9");
    EXPECT_EQ(normalized("A Photo", false), "A Photo");
    EXPECT_EQ(normalized("\u0130"), "i\u0307");
}

TEST(NormalizedPrompt, KnowsTheSigmaThatEndsAWord) {
    EXPECT_EQ(normalized("\u03A3\u0391\u03A3"), "\u03C3\u03B1\u03C2");
    EXPECT_EQ(normalized("\u0391\u03A3\u0391"), "\u03B1\u03C3\u03B1");
    EXPECT_EQ(normalized("\u0391\u03A3'\u0391"), "\u03B1\u03C3'\u03B1");
    EXPECT_EQ(normalized("\u0391'\u03A3 1"), "\u03B1'\u03C2 1");
    EXPECT_EQ(normalized("\u03A3"), "\u03C3");
}

TEST(PromptWords, SplitsLettersNumbersAndSigns) {
    EXPECT_THAT(
        words("a photo, 85mm (f/1.8)!!"),
        ElementsAre("a", "photo", ",", "8", "5", "mm", "(", "f", "/", "1", ".", "8", ")!!")
    );
    EXPECT_THAT(words("snake_case"), ElementsAre("snake", "_", "case"));
    EXPECT_THAT(words("\u2163\u00BD"), ElementsAre("\u2173", "\u00BD"));
}

TEST(PromptWords, SeparatesAtEveryKindOfWhiteSpace) {
    EXPECT_THAT(
        words("  a\t\r\nb\u00A0c\u3000d\u2028e\u0085f "), ElementsAre("a", "b", "c", "d", "e", "f")
    );
    EXPECT_THAT(words(" \n "), IsEmpty());
    // Not white space, though nothing is seen of it.
    EXPECT_THAT(words("zero\u200Bwidth"), ElementsAre("zero", "\u200B", "width"));
}

TEST(PromptWords, CutsContractionsWhereverAnApostropheStartsAWord) {
    EXPECT_THAT(words("DON'T we'll 'tis"), ElementsAre("don", "'t", "we", "'ll", "'t", "is"));
    EXPECT_THAT(words("IT'S", false), ElementsAre("IT", "'S"));
    EXPECT_THAT(words("''s"), ElementsAre("''", "s"));
    EXPECT_THAT(words("'x"), ElementsAre("'", "x"));
    EXPECT_THAT(words("'"), ElementsAre("'"));
}

TEST(PromptWords, FindsSpecialTokensAmongSigns) {
    EXPECT_THAT(words("a!<|endoftext|>!b"), ElementsAre("a", "!", "<|endoftext|>", "!", "b"));
    EXPECT_THAT(
        words("<|StartOfText|><|endoftext"), ElementsAre("<|startoftext|>", "<|", "endoftext")
    );
}

TEST(PromptWords, LosesNothingButWhiteSpace) {
    EXPECT_TRUE(rc::check([] {
        const auto points = *rc::gen::container<std::u32string>(rc::gen::oneOf(
            rc::gen::element<char32_t>(U'a', U'1', U'!', U' ', U'\'', U's', U'<', U'\u00E9'),
            rc::gen::map(
                rc::gen::inRange<std::uint32_t>(0, 0xD800),
                [](std::uint32_t point) { return static_cast<char32_t>(point); }
            )
        ));
        std::u32string kept;
        for (const std::u32string_view word : prompt_words(points, {})) {
            RC_ASSERT(!word.empty());
            kept += word;
        }
        std::u32string expected;
        std::copy_if(points.begin(), points.end(), std::back_inserter(expected), [](char32_t c) {
            return !prompt_words(std::u32string_view(&c, 1), {}).empty();
        });
        RC_ASSERT(kept == expected);
        RC_ASSERT(check_utf8(to_utf8(points)).has_value());
    }));
}

}  // namespace
}  // namespace tessera
