#include "prompt/attention.h"

#include "prompt/composition.h"
#include "prompt/extra_networks.h"
#include "prompt/schedule.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <cmath>

namespace tessera {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Fragments = std::vector<PromptFragment>;

PromptFragment chunk_break() {
    return {"", 1, true};
}

Fragments fragments_of(std::string_view text) {
    const auto parsed = parse_attention(text);
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed ? parsed->fragments : Fragments();
}

std::vector<std::string> remarks_of(std::string_view text) {
    return parse_attention(text).value().remarks;
}

std::string error_of(std::string_view text) {
    const auto parsed = parse_attention(text);
    if (parsed) {
        return "none";
    }
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalidArgument);
    return parsed.error().message;
}

/// Text of all that the prompt language knows, and bytes of any kind.
rc::Gen<std::string> any_text() {
    const auto piece = rc::gen::oneOf(
        rc::gen::elementOf(std::vector<std::string>{
            "(",      ")",   "[",   "]",     "\\",           ":",      "|",
            "BREAK",  "AND", "1.2", ":1.3)", ":3]",          ":.5]",   "cat",
            " ",      "\n",  "<",   ">",     "<lora:x:0.5>", "\u00E9", "\u3000",
            ": -1 )", "_",   ": 2", "(a:2)", "[a|b]"}),
        rc::gen::map(rc::gen::arbitrary<char>(), [](char c) { return std::string(1, c); })
    );
    return rc::gen::map(
        rc::gen::container<std::vector<std::string>>(piece),
        [](const std::vector<std::string>& pieces) {
            std::string text;
            for (const std::string& part : pieces) {
                text += part;
            }
            return text;
        }
    );
}

// The doctests of prompt_parser.py.
TEST(Attention, ReadsTheExamplesOfTheWebUi) {
    EXPECT_EQ(fragments_of("normal text"), (Fragments{{"normal text", 1}}));
    EXPECT_EQ(
        fragments_of("an (important) word"),
        (Fragments{{"an ", 1}, {"important", 1.1}, {" word", 1}})
    );
    EXPECT_EQ(fragments_of("(unbalanced"), (Fragments{{"unbalanced", 1.1}}));
    EXPECT_EQ(fragments_of("\\(literal\\]"), (Fragments{{"(literal]", 1}}));
    EXPECT_EQ(fragments_of("(unnecessary)(parens)"), (Fragments{{"unnecessaryparens", 1.1}}));
    EXPECT_EQ(
        fragments_of("a (((house:1.3)) [on] a (hill:0.5), sun, (((sky)))."),
        (Fragments{
            {"a ", 1},
            {"house", 1.5730000000000004},
            {" ", 1.1},
            {"on", 1},
            {" a ", 1.1},
            {"hill", 0.55},
            {", sun, ", 1.1},
            {"sky", 1.4641000000000006},
            {".", 1.1}})
    );
    EXPECT_EQ(fragments_of(""), (Fragments{{"", 1}}));
}

TEST(Attention, TakesNumbersWithSpacesSignsAndBarePoints) {
    EXPECT_EQ(fragments_of("(a: 1.5 )"), (Fragments{{"a", 1.5}}));
    EXPECT_EQ(fragments_of("(a:-.5)"), (Fragments{{"a", -0.5}}));
    EXPECT_EQ(fragments_of("(a:+2.)"), (Fragments{{"a", 2}}));
    EXPECT_EQ(fragments_of("(a:0)"), (Fragments{{"a", 0}}));
    EXPECT_EQ(fragments_of("16:9 and a:b)"), (Fragments{{"16:9 and a:b)", 1}}));
    EXPECT_EQ(fragments_of("(a:b)"), (Fragments{{"a:b", 1.1}}));
}

TEST(Attention, EscapesSignsAndDropsOtherBackslashes) {
    EXPECT_EQ(fragments_of(R"(\\ \( \) \[ \] a\b\)"), (Fragments{{R"(\ ( ) [ ] ab)", 1}}));
    EXPECT_EQ(fragments_of(R"((a\:1.5))"), (Fragments{{"a", 1.5}}));
    EXPECT_EQ(fragments_of(R"((a:1.5\))"), (Fragments{{"a:1.5)", 1.1}}));
}

TEST(Attention, EndsChunksAtTheWordBreak) {
    EXPECT_EQ(fragments_of("a BREAK b"), (Fragments{{"a", 1}, chunk_break(), {"b", 1}}));
    EXPECT_EQ(fragments_of("BREAK"), (Fragments{{"", 1}, chunk_break(), {"", 1}}));
    EXPECT_EQ(
        fragments_of("a BREAK\nBREAK b"),
        (Fragments{{"a", 1}, chunk_break(), {"", 1}, chunk_break(), {"b", 1}})
    );
    EXPECT_EQ(fragments_of("BREAKFAST BREAK_ \u00E9BREAK break").size(), 1U);
    EXPECT_THAT(remarks_of("a BREAK b"), IsEmpty());
}

TEST(Attention, TakesBreakInBracketsForAWordAndSaysSo) {
    EXPECT_EQ(fragments_of("(a BREAK b)"), (Fragments{{"a", 1.1}, {"BREAK", -1.1}, {"b", 1.1}}));
    EXPECT_THAT(
        remarks_of("(a BREAK b)"),
        ElementsAre(AllOf(HasSubstr("BREAK at character 4"), HasSubstr("outside")))
    );
    EXPECT_EQ(fragments_of("(BREAK:1)")[1], chunk_break());
}

TEST(Attention, RemarksOnBracketsThatHaveNoPartner) {
    EXPECT_THAT(
        remarks_of("\u00E9 cat (and"),
        ElementsAre("the \"(\" at character 7 is never closed and was taken to close at the end; "
                    "write \\( for the sign itself")
    );
    EXPECT_THAT(
        remarks_of("a) [b"),
        ElementsAre(
            "the \")\" at character 2 closes nothing and was taken as a sign; write \\) to say so",
            HasSubstr("\"[\" at character 4 is never closed")
        )
    );
    EXPECT_THAT(remarks_of("(a) [b] \\( \\]"), IsEmpty());
    const auto many = remarks_of(std::string(1000, ')'));
    ASSERT_EQ(many.size(), 9U);
    EXPECT_EQ(many.back(), "992 more brackets are like these");
}

TEST(Attention, CountsPositionsFromWhereTheTextBegins) {
    EXPECT_THAT(parse_attention("a)", 11).value().remarks, ElementsAre(HasSubstr("character 12")));
}

TEST(Attention, RefusesWeightsThatAreNoPlainNumbersInRange) {
    for (const char* weight :
         {"1e9", "1e-400", "nan", "inf", "-inf", "1.2.3", "..", "101", "-100.5"}) {
        SCOPED_TRACE(weight);
        EXPECT_EQ(
            error_of(fmt::format("a (cat:{})", weight)),
            fmt::format(
                "the weight \"{}\" at character 7 is not a plain number between -100 and 100, as "
                "in (word:1.3)",
                weight
            )
        );
    }
    EXPECT_LT(error_of("(cat:" + std::string(1000, '9') + ")").size(), 200U);
    EXPECT_EQ(fragments_of("(cat:100)(dog:-100)").size(), 2U);
}

TEST(Attention, RefusesWeightsThatNestingMakesTooLarge) {
    EXPECT_EQ(
        error_of("((cat:11):11)"),
        "the brackets around \"cat\" at character 3 make its weight 121, which is not between -100 "
        "and 100"
    );
}

TEST(Attention, RefusesDeepNesting) {
    EXPECT_THAT(
        error_of(std::string(101, '[')), HasSubstr("\"[\" at character 101 stands within 100")
    );
    EXPECT_EQ(error_of(std::string(100, '[') + "a"), "none");
}

TEST(Attention, TakesTextWithoutSignsAsItIs) {
    rc::check([] {
        const auto text = *rc::gen::container<std::string>(
            rc::gen::elementOf(std::string("abz ,.!|<>{}\xC3\xA9\n"))
        );
        const auto parsed = parse_attention(text);
        RC_ASSERT(parsed.has_value());
        RC_ASSERT(parsed->fragments == (Fragments{{text, 1}}));
        RC_ASSERT(parsed->remarks.empty());
    });
}

TEST(Attention, ReadsAnyTextToFiniteWeights) {
    rc::check([] {
        const auto text = *any_text();
        const auto parsed = parse_attention(text);
        if (!parsed) {
            RC_ASSERT(parsed.error().kind == ErrorKind::kInvalidArgument);
            return;
        }
        RC_ASSERT(!parsed->fragments.empty());
        std::size_t bytes = 0;
        for (const PromptFragment& fragment : parsed->fragments) {
            RC_ASSERT(std::abs(fragment.weight) <= kMaxPromptWeight);
            bytes += fragment.text.size();
        }
        RC_ASSERT(bytes <= text.size());
    });
}

TEST(Escaping, MakesThePromptLanguageReadAnyTextAsItStands) {
    rc::check([] {
        const auto text = *any_text();
        const auto escaped = escape_prompt(text);
        const auto tagged = take_extra_networks(escaped);
        RC_ASSERT(tagged.tags.empty());
        RC_ASSERT(tagged.text == escaped);
        const auto parts = split_composition(escaped);
        RC_ASSERT(parts.has_value());
        RC_ASSERT(parts->size() == 1U);
        RC_ASSERT(parts->front().weight == 1);
        const auto schedule = schedule_prompt(escaped, PassSteps{10});
        RC_ASSERT(schedule.has_value());
        RC_ASSERT(schedule->pieces == (std::vector<ScheduledText>{{10, escaped}}));
        const auto parsed = parse_attention(escaped);
        RC_ASSERT(parsed.has_value());
        RC_ASSERT(parsed->remarks.empty());
        RC_ASSERT(parsed->fragments == (Fragments{{text, 1}}));
    });
}

TEST(Escaping, LeavesPlainTextAlone) {
    EXPECT_EQ(escape_prompt("a cat, 4k: best"), "a cat, 4k: best");
    EXPECT_EQ(
        escape_prompt(R"(a (b) \ BREAK <lora:x> 16:9)"), R"(a \(b\) \\ B\REAK <\lora:x> 16:\9)"
    );
}

}  // namespace
}  // namespace tessera
