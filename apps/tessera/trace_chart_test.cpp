#include "tessera/trace_chart.h"

#include "base/utf8.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

namespace tessera::cli {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const Terminal kUnicode{true, false, true};
const Terminal kAscii{true, false, false};

/// A worker died at step 12 of 20.
constexpr const char* kTrace = R"({
  "job": "01kb", "trace_id": "0af7", "began": "2026-11-24T03:00:00.000Z", "seconds": 10.0,
  "has_ended": true, "left_out": 0,
  "spans": [
    {"id": "a", "parent": "caller", "name": "job", "begin": 0.0, "end": 10.0, "attributes": {}},
    {"id": "b", "parent": "a", "name": "submit", "begin": 0.0, "end": 0.01, "attributes": {}},
    {"id": "c", "parent": "a", "name": "render", "begin": 0.01, "end": 10.0,
     "attributes": {"tessera.unit": 0}},
    {"id": "e", "parent": "c", "name": "wait", "begin": 0.01, "end": 2.5, "attributes": {}},
    {"id": "f", "parent": "c", "name": "attempt", "begin": 2.5, "end": 5.0,
     "error": "its link broke",
     "attributes": {"tessera.worker": "w1", "tessera.outcome": "lost", "tessera.step": 12,
                    "tessera.steps": 20}},
    {"id": "g", "parent": "c", "name": "attempt", "begin": 5.0, "end": 10.0,
     "attributes": {"tessera.worker": "w2", "tessera.outcome": "done"}},
    {"id": "h", "parent": "g", "name": "denoise", "begin": 5.0, "end": 9.0, "attributes": {}}
  ]})";

TEST(TraceChart, DrawsWhatHappenedWhen) {
    EXPECT_THAT(
        chart_lines(read_trace(kTrace), 80, kAscii),
        ElementsAre(
            "job 01kb  10 s  trace 0af7",
            "job          |################################| 10 s",
            "  submit     |#                               | 10 ms",
            "  render 1   |################################| 9.99 s",
            "    wait     |........                        | 2.49 s",
            "    attempt  |        ########                | 2.50 s  w1  lost  at step 12/20…",
            "    attempt  |                ################| 5.00 s  w2",
            "      denoise|                #############   | 4.00 s"
        )
    );
}

TEST(TraceChart, DrawsInTheLettersOfTheLocale) {
    const auto lines = chart_lines(read_trace(kTrace), 80, kUnicode);
    EXPECT_THAT(lines.at(4), HasSubstr("▕░░░░░░░░                        ▏"));
    EXPECT_THAT(lines.at(6), HasSubstr("▕                ████████████████▏"));
    EXPECT_THAT(lines, Each(Not(HasSubstr("\x1b"))));
}

TEST(TraceChart, ShowsFailuresInRed) {
    const auto lines = chart_lines(read_trace(kTrace), 80, {true, true, true});
    EXPECT_THAT(lines.at(5), HasSubstr("\x1b[31m"));
    EXPECT_THAT(lines.at(6), Not(HasSubstr("\x1b[31m")));
}

TEST(TraceChart, TellsAllToAProgramThatReads) {
    EXPECT_THAT(
        chart_lines(read_trace(kTrace), 0, kAscii).at(5), HasSubstr("at step 12/20  its link broke")
    );
}

TEST(TraceChart, WhatGoesOnReachesToTheEnd) {
    const TraceChart chart = read_trace(R"({"job": "x", "seconds": 4.0, "has_ended": false, "spans":
        [{"id": "a", "name": "job", "begin": 0.0, "attributes": {}}]})");
    EXPECT_EQ(chart.rows.at(0).end, 4.0);
    EXPECT_EQ(chart.rows.at(0).words, "4.00 s  so far");
    EXPECT_THAT(chart.headline, HasSubstr("so far"));
}

TEST(TraceChart, ShowsNoControlCharacters) {
    const TraceChart chart = read_trace(R"({"job": "x\u001b[2J", "seconds": 1.0, "spans":
        [{"id": "a", "name": "job\u001b[2J", "begin": 0, "error": "\u0007\nboo", "attributes":
          {"tessera.worker": "\u009b31m"}}]})");
    for (const std::string& line : chart_lines(chart, 80, kUnicode)) {
        for (const char* control : {"\x1b", "\n", "\x07", "\xC2\x9B"}) {
            EXPECT_THAT(line, Not(HasSubstr(control)));
        }
    }
}

TEST(TraceChart, IsEmptyForAnAnswerThatIsNone) {
    for (const char* answer :
         {"", "nonsense", "[]", "{}", R"({"spans": 3})", R"({"spans": {"a": 1}})"}) {
        EXPECT_THAT(read_trace(answer).rows, IsEmpty()) << answer;
    }
}

TEST(TraceChart, HoldsOutAgainstSpansThatMakeNoSense) {
    const TraceChart chart = read_trace(R"({"seconds": -1, "spans": [
        {"id": "a", "parent": "a", "begin": "x", "attributes": 7},
        {"id": "a", "parent": "a", "begin": 9, "end": 1e300},
        {"id": "b", "parent": "c"}, {"id": "c", "parent": "b", "begin": -1e300}, 3, null]})");
    EXPECT_THAT(chart_lines(chart, 80, kAscii), SizeIs(chart.rows.size() + 1));
}

TEST(TraceChart, FitsEveryWidth) {
    rc::check([] {
        const auto columns = *rc::gen::inRange<std::size_t>(1, 200);
        TraceChart chart = read_trace(kTrace);
        chart.rows.at(2).label = *rc::gen::arbitrary<std::string>();
        chart.rows.at(3).words = *rc::gen::arbitrary<std::string>();
        chart.rows.at(4).depth = *rc::gen::inRange<std::size_t>(0, 1000);
        for (const std::string& line : chart_lines(chart, columns, kUnicode)) {
            RC_ASSERT(display_width(line) <= columns);
        }
    });
}

TEST(ShortTime, IsAsExactAsPeopleWantIt) {
    EXPECT_EQ(short_time(0.0072), "7 ms");
    EXPECT_EQ(short_time(0.9999), "1.00 s");
    EXPECT_EQ(short_time(1.254), "1.25 s");
    EXPECT_EQ(short_time(12.4), "12 s");
    EXPECT_EQ(short_time(200.0), "3 min 20 s");
}

}  // namespace
}  // namespace tessera::cli
