#include "config/units.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(UnitsTest, ReadsDurations) {
    EXPECT_EQ(parse_duration("30s"), Duration(seconds(30)));
    EXPECT_EQ(parse_duration("250ms"), Duration(milliseconds(250)));
    EXPECT_EQ(parse_duration("1h30m"), Duration(minutes(90)));
    EXPECT_EQ(parse_duration("7d"), Duration(hours(168)));
    EXPECT_EQ(parse_duration("1.5s"), Duration(milliseconds(1500)));
    EXPECT_EQ(parse_duration("0"), Duration(0));
    EXPECT_EQ(parse_duration("0s"), Duration(0));
}

TEST(UnitsTest, RefusesWhatIsNoDuration) {
    for (const char* text :
         {"",
          "s",
          "30",
          "-1s",
          "+1s",
          " 1s",
          "1s ",
          "1 s",
          "1x",
          "1S",
          "1m1h",
          "1s1s",
          "1.5h1m",
          "1e3s",
          "0.0000001s",
          "1..5s",
          ".",
          "nan s",
          "99999999999999d",
          "9223372036854775808us"}) {
        const auto duration = parse_duration(text);
        EXPECT_FALSE(duration) << text;
    }
}

TEST(UnitsTest, ReadsSizes) {
    EXPECT_EQ(parse_byte_size("20GiB"), 20 * kGiB);
    EXPECT_EQ(parse_byte_size("512MB"), ByteSize{512'000'000});
    EXPECT_EQ(parse_byte_size("1.5kB"), ByteSize{1500});
    EXPECT_EQ(parse_byte_size("4096"), ByteSize{4096});
    EXPECT_EQ(parse_byte_size("17B"), ByteSize{17});
    EXPECT_EQ(parse_byte_size("0"), ByteSize{0});
}

TEST(UnitsTest, RefusesWhatIsNoSize) {
    for (const char* text :
         {"", "B", "GiB", "-1", "1 GiB", "1gib", "1K", "1.5", "0.3B", "1GiBB", "99999999999TiB"}) {
        EXPECT_FALSE(parse_byte_size(text)) << text;
    }
}

TEST(UnitsTest, WritesWhatReadsTheSame) {
    EXPECT_EQ(to_text(Duration(minutes(90))), "1h30m");
    EXPECT_EQ(to_text(20 * kGiB), "20GiB");
    EXPECT_TRUE(rc::check([] {
        const Duration duration(*rc::gen::inRange<Duration::rep>(0, Duration::max().count()));
        RC_ASSERT(parse_duration(to_text(duration)) == duration);
        const ByteSize size{*rc::gen::inRange<std::uint64_t>(0, 1ULL << 62U)};
        RC_ASSERT(parse_byte_size(to_text(size)) == size);
        const ByteSize round{(size.bytes % 8000) * kMiB.bytes};
        RC_ASSERT(parse_byte_size(to_text(round)) == round);
    }));
}

}  // namespace
}  // namespace tessera
