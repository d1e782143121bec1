#include "base/clock.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(Clock, WritesMomentsAsIso8601) {
    EXPECT_EQ(iso_time(WallTime{}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(
        iso_time(WallTime(std::chrono::milliseconds(1'795'454'403'123))), "2026-11-23T17:20:03.123Z"
    );
    EXPECT_EQ(
        iso_time(WallTime(std::chrono::milliseconds(9'214'646'399'999))), "2261-12-31T23:59:59.999Z"
    );
}

TEST(Clock, WritesMomentsBefore1970WithMillisecondsThatCountForwards) {
    EXPECT_EQ(iso_time(WallTime(std::chrono::milliseconds(-1))), "1969-12-31T23:59:59.999Z");
}

TEST(Clock, OfTheSystemNeverGoesBack) {
    const Clock& clock = Clock::system();
    Instant last = clock.now();
    for (int i = 0; i < 1000; ++i) {
        const Instant now = clock.now();
        ASSERT_GE(now, last);
        last = now;
    }
}

TEST(Clock, OfTheSystemKnowsTheWorldsTime) {
    using std::chrono::system_clock;
    const auto before = std::chrono::floor<std::chrono::milliseconds>(system_clock::now());
    const WallTime wall = Clock::system().wall();
    EXPECT_GE(wall, before);
    EXPECT_LE(wall, system_clock::now());
}

TEST(Clock, ConvertsSecondsBothWays) {
    EXPECT_EQ(duration_of(1.5), std::chrono::milliseconds(1500));
    EXPECT_EQ(seconds_of(std::chrono::milliseconds(250)), 0.25);
    EXPECT_EQ(duration_of(seconds_of(std::chrono::hours(24))), std::chrono::hours(24));
}

}  // namespace
}  // namespace tessera
