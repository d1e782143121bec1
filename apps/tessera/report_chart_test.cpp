#include "tessera/report_chart.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>

namespace tessera::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kReport = R"({
    "from": "2026-11-23T08:00:00.000Z", "to": "2026-11-24T08:00:00.000Z", "seconds": 86400.0,
    "is_complete": true,
    "jobs": {"submitted": 12, "done": 9, "failed": 1, "cancelled": 1, "unfinished": 2},
    "pictures": 40, "retries": {"own": 3, "infrastructure": 1},
    "wait": {"count": 11, "mean": 3.0, "p50": 2.0, "p90": 7.5, "p99": 9.0, "max": 200.0},
    "run": {"count": 9, "mean": 30.0, "p50": 20.0, "p90": 70.0, "p99": 90.0, "max": 90.0},
    "busy_seconds": 7200.0, "utilisation": 0.42,
    "failures": [{"reason": "no \u001b[2Jmemory <b>", "fault": "task", "tasks": 2}],
    "failures_left_out": 4,
    "tenants": [{"tenant": "alice & <bob>", "jobs": 12, "failed_jobs": 1, "pictures": 40,
                 "cost": 812.5, "busy_seconds": 7200.0}],
    "slices": [
        {"begin": "2026-11-23T08:00:00.000Z", "pictures": 30, "failed_tasks": 6,
         "busy_seconds": 3600.0, "mean_wait": 2.0},
        {"begin": "2026-11-23T20:00:00.000Z", "pictures": 10, "failed_tasks": 0,
         "busy_seconds": 3600.0, "mean_wait": 4.0}]})";

std::string whole_text() {
    std::string all;
    for (const std::string& line : report_lines(kReport)) {
        all += line + "\n";
    }
    return all;
}

TEST(ReportLines, SayWhatWasAsked) {
    const std::string all = whole_text();
    EXPECT_THAT(all, HasSubstr("From 2026-11-23 08:00 to 2026-11-24 08:00"));
    EXPECT_THAT(all, HasSubstr("12 handed in: 9 done, 1 failed, 1 cancelled; 2 wait or run"));
    EXPECT_THAT(all, HasSubstr("2 h"));
    EXPECT_THAT(all, HasSubstr("42 %"));
    EXPECT_THAT(all, HasSubstr("3 min 20 s"));
    EXPECT_THAT(all, HasSubstr("alice & <bob>"));
    EXPECT_THAT(all, HasSubstr("812.5"));
    EXPECT_THAT(all, HasSubstr("other reasons"));
    EXPECT_THAT(all, Not(HasSubstr("more jobs than are counted")));
}

TEST(ReportLines, CommandNoTerminal) {
    EXPECT_THAT(whole_text(), Not(HasSubstr("\x1b")));
}

TEST(ReportLines, SayWhenJobsAreMissing) {
    EXPECT_THAT(
        report_lines(R"({"is_complete": false})").at(1), HasSubstr("more jobs than are counted")
    );
}

TEST(ReportChart, HasABarForEachValueThatIsNotZero) {
    const std::string svg = report_svg(kReport);
    std::size_t bars = 0;
    for (std::size_t at = svg.find("<rect x"); at != std::string::npos;
         at = svg.find("<rect x", at + 1)) {
        ++bars;
    }
    EXPECT_EQ(bars, 3U + 2U + 2U);
    // 36 of a scale to 50, on 120 units: 30 in blue and 6 in red.
    EXPECT_THAT(svg, HasSubstr("height=\"72.00\" fill=\"#3b7dd8\""));
    EXPECT_THAT(svg, HasSubstr("height=\"14.40\" fill=\"#d64545\""));
}

TEST(ReportChart, ItsAxesEndAtRoundNumbers) {
    const auto waiting = [](double seconds) {
        return report_svg(fmt::format(
            R"({{"seconds": 1800.0, "slices": [{{"pictures": 3, "mean_wait": {}}}]}})", seconds
        ));
    };
    EXPECT_THAT(waiting(0.3), HasSubstr(">500 ms<"));
    EXPECT_THAT(waiting(12.0), AllOf(HasSubstr(">10 s<"), HasSubstr(">20 s<")));
    EXPECT_THAT(waiting(250.0), AllOf(HasSubstr(">5 min<"), HasSubstr(">10 min<")));
    EXPECT_THAT(waiting(9000.0), HasSubstr(">5 h<"));
    EXPECT_THAT(waiting(9000.0), HasSubstr("every 30 min"));
}

TEST(ReportChart, AnAnswerThatIsNoneGivesAnEmptyOne) {
    for (const char* answer : {"", "[]", "{}", R"({"slices": 3, "tenants": [7]})"}) {
        EXPECT_THAT(report_svg(answer), testing::EndsWith("</svg>\n"));
        EXPECT_FALSE(report_lines(answer).empty());
    }
}

}  // namespace
}  // namespace tessera::cli
