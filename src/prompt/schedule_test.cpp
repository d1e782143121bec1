#include "prompt/schedule.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Pieces = std::vector<ScheduledText>;

Pieces pieces_of(std::string_view text, const PassSteps& steps = PassSteps{10}) {
    const auto schedule = schedule_prompt(text, steps);
    EXPECT_TRUE(schedule) << schedule.error().message;
    return schedule ? schedule->pieces : Pieces();
}

Pieces in_turns(std::vector<std::string> texts) {
    Pieces pieces;
    for (std::size_t step = 1; step <= 10; ++step) {
        pieces.push_back({step, texts[(step - 1) % texts.size()]});
    }
    return pieces;
}

// The doctests of prompt_parser.py but one, which fails there too.
TEST(Schedule, ReadsTheExamplesOfTheWebUi) {
    EXPECT_EQ(pieces_of("test"), (Pieces{{10, "test"}}));
    EXPECT_EQ(pieces_of("a [b:3]"), (Pieces{{3, "a "}, {10, "a b"}}));
    EXPECT_EQ(pieces_of("a [b: 3]"), (Pieces{{3, "a "}, {10, "a b"}}));
    EXPECT_EQ(pieces_of("a [[[b]]:2]"), (Pieces{{2, "a "}, {10, "a [[b]]"}}));
    EXPECT_EQ(pieces_of("[(a:2):3]"), (Pieces{{3, ""}, {10, "(a:2)"}}));
    EXPECT_EQ(pieces_of("a [b : c : 1] d"), (Pieces{{1, "a b  d"}, {10, "a  c  d"}}));
    EXPECT_EQ(pieces_of("a[b:[c:d:2]:1]e"), (Pieces{{1, "abe"}, {2, "ace"}, {10, "ade"}}));
    EXPECT_EQ(pieces_of("a [unbalanced"), (Pieces{{10, "a [unbalanced"}}));
    EXPECT_EQ(pieces_of("a [b:.5] c"), (Pieces{{5, "a  c"}, {10, "a b c"}}));
    EXPECT_EQ(pieces_of("((a][:b:c [d:3]"), (Pieces{{3, "((a][:b:c "}, {10, "((a][:b:c d"}}));
    EXPECT_EQ(pieces_of("[a|(b:1.1)]"), in_turns({"a", "(b:1.1)"}));
    EXPECT_EQ(pieces_of("[fe|]male"), in_turns({"female", "male"}));
    EXPECT_EQ(pieces_of("[fe|||]male"), in_turns({"female", "male", "male", "male"}));
}

TEST(Schedule, ReadsTheExampleOfItsDocumentation) {
    EXPECT_EQ(
        pieces_of(
            "fantasy landscape with a [mountain:lake:0.25] and [an oak:a christmas tree:0.75][ in "
            "foreground::0.6][ in background:0.25] [shoddy:masterful:0.5]",
            PassSteps{100}
        ),
        (Pieces{
            {25, "fantasy landscape with a mountain and an oak in foreground shoddy"},
            {50, "fantasy landscape with a lake and an oak in foreground in background shoddy"},
            {60, "fantasy landscape with a lake and an oak in foreground in background masterful"},
            {75, "fantasy landscape with a lake and an oak in background masterful"},
            {100, "fantasy landscape with a lake and a christmas tree in background masterful"}})
    );
}

TEST(Schedule, CountsOnInTheSecondPass) {
    const PassSteps second{10, 20};
    EXPECT_EQ(pieces_of("a [b:.5] c", second), (Pieces{{10, "a b c"}}));
    EXPECT_EQ(pieces_of("a [b:1.5] c", second), (Pieces{{5, "a  c"}, {10, "a b c"}}));
    EXPECT_EQ(pieces_of("a [b:15] c", second), (Pieces{{10, "a b c"}}));
    EXPECT_EQ(pieces_of("a [b:25] c", second), (Pieces{{5, "a  c"}, {10, "a b c"}}));
    EXPECT_EQ(pieces_of("a [b:1.5] c"), (Pieces{{10, "a  c"}}));
}

// Made with lark 1.1.2 and the grammar of the web UI.
TEST(Schedule, AgreesWithTheGrammarOnOddCases) {
    EXPECT_EQ(pieces_of("[a::3]"), (Pieces{{3, "a"}, {10, ""}}));
    EXPECT_EQ(pieces_of("[::3]"), (Pieces{{3, ""}, {10, ""}}));
    EXPECT_EQ(pieces_of("[a:3:4]"), (Pieces{{4, "a"}, {10, "3"}}));
    EXPECT_EQ(pieces_of("[a:b:-3]"), (Pieces{{10, "b"}}));
    EXPECT_EQ(pieces_of("[a:b:0.0]"), (Pieces{{10, "b"}}));
    EXPECT_EQ(pieces_of("[a:b:1e1]"), (Pieces{{10, "a"}}));
    EXPECT_EQ(pieces_of("[a:b:200]"), (Pieces{{10, "a"}}));
    EXPECT_EQ(pieces_of("[a: 3 ]"), (Pieces{{3, ""}, {10, "a"}}));
    EXPECT_EQ(pieces_of("[a:b:c:3]"), (Pieces{{10, "[a:b:c:3]"}}));
    EXPECT_EQ(pieces_of("[a:b:c:[d:3]]"), (Pieces{{3, "[a:b:c:]"}, {10, "[a:b:c:d]"}}));
    EXPECT_EQ(pieces_of("[a\\:b:3]"), (Pieces{{3, ""}, {10, "a\\:b"}}));
    EXPECT_EQ(pieces_of("\\[a:b:3]"), (Pieces{{10, "\\[a:b:3]"}}));
    EXPECT_EQ(pieces_of("[(a:b:3]"), (Pieces{{10, "[(a:b:3]"}}));
    EXPECT_EQ(pieces_of("(x:1.2:3), [a:b:1]"), (Pieces{{1, "(x:1.2:3), a"}, {10, "(x:1.2:3), b"}}));
    EXPECT_EQ(pieces_of("[a:b:3]\\"), (Pieces{{10, "[a:b:3]\\"}}));
    EXPECT_EQ(
        pieces_of("[a:[b|c]:2]", PassSteps{4}), (Pieces{{1, "a"}, {2, "a"}, {3, "b"}, {4, "c"}})
    );
}

TEST(Schedule, IsOffWithAStrayBarAndSaysSo) {
    const auto schedule = schedule_prompt("\u00E9 [a:b|c:3] [d:2]", PassSteps{10}).value();
    EXPECT_EQ(schedule.pieces, (Pieces{{10, "\u00E9 [a:b|c:3] [d:2]"}}));
    EXPECT_THAT(
        schedule.remarks, ElementsAre(HasSubstr("the \"|\" at character 7 stands in no [ ]"))
    );
    EXPECT_THAT(schedule_prompt("[a|b] [d:2]", PassSteps{10}).value().remarks, IsEmpty());
}

TEST(Schedule, TakesNumbersOfAnySize) {
    const std::string large(400, '9');
    EXPECT_EQ(pieces_of("[a:b:" + large + "]"), (Pieces{{10, "a"}}));
    EXPECT_EQ(pieces_of("[a:b:-" + large + "]"), (Pieces{{10, "b"}}));
    EXPECT_EQ(pieces_of("[a:b:1e-999]"), (Pieces{{10, "b"}}));
    EXPECT_EQ(pieces_of("[a:b:1.e999]"), (Pieces{{10, "a"}}));
}

TEST(Schedule, RefusesWhatGrowsBeyondBounds) {
    const auto error_of = [](const std::string& text, const PassSteps& steps) {
        return schedule_prompt(text, steps).error().message;
    };
    EXPECT_THAT(error_of("a", PassSteps{0}), HasSubstr("0 steps; there are from 1 to 20000"));
    EXPECT_THAT(error_of("a", PassSteps{20'001}), HasSubstr("20001 steps"));
    EXPECT_THAT(
        error_of(std::string(101, '('), PassSteps{10}), HasSubstr("\"(\" at character 101")
    );
    EXPECT_THAT(
        error_of("[a|b]" + std::string(60'000, 'x'), PassSteps{100}),
        HasSubstr("has 60005 bytes and changes at 100 steps")
    );
    EXPECT_EQ(pieces_of("[a|b]" + std::string(60'000, 'x'), PassSteps{20}).size(), 20U);
}

TEST(Schedule, ChoosesThePieceOfAnEvaluation) {
    const Pieces pieces{{3, "a"}, {5, "b"}, {10, "c"}};
    const std::span<const ScheduledText> all(pieces);
    EXPECT_EQ(piece_at(all, 0), 0U);
    EXPECT_EQ(piece_at(all, 3), 0U);
    EXPECT_EQ(piece_at(all, 4), 1U);
    EXPECT_EQ(piece_at(all, 9), 2U);
    EXPECT_EQ(piece_at(all, 99), 2U);
}

TEST(Schedule, HoldsItsPromisesForAnyText) {
    rc::check([] {
        const auto text = *rc::gen::container<std::string>(rc::gen::oneOf(
            rc::gen::elementOf(std::string("[]()::||12. ab\\")), rc::gen::arbitrary<char>()
        ));
        const auto steps = *rc::gen::inRange<std::size_t>(1, 30);
        const auto schedule = schedule_prompt(text, PassSteps{steps});
        RC_ASSERT(schedule.has_value());
        std::size_t previous = 0;
        for (const ScheduledText& piece : schedule->pieces) {
            RC_ASSERT(piece.end_at_step > previous);
            RC_ASSERT(piece.text.size() <= text.size());
            previous = piece.end_at_step;
        }
        RC_ASSERT(previous == steps);
    });
}

}  // namespace
}  // namespace tessera
