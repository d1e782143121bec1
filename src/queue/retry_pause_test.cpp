#include "queue/retry_pause.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tessera {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

template <class Pause>
std::pair<Duration, Duration> range_of(const Pause& pause) {
    SeededEntropy entropy(1);
    Duration least = Duration::max();
    Duration most = Duration::min();
    for (int i = 0; i < 1000; ++i) {
        const Duration one = pause(entropy);
        least = std::min(least, one);
        most = std::max(most, one);
    }
    return {least, most};
}

TEST(RetryPause, SpreadsOverABoundThatDoubles) {
    const RetryPolicy policy;
    for (const auto& [failures, bound] :
         {std::pair(1, seconds(1)),
          std::pair(2, seconds(2)),
          std::pair(4, seconds(8)),
          std::pair(9, seconds(256)),
          std::pair(10, seconds(300)),
          std::pair(1000, seconds(300))}) {
        const auto [least, most] =
            range_of([&, n = failures](Entropy& e) { return pause_after_failure(policy, n, e); });
        EXPECT_GE(least, Duration::zero());
        EXPECT_LT(least, Duration(bound) / 50) << failures;
        EXPECT_LE(most, Duration(bound)) << failures;
        EXPECT_GT(most, Duration(bound) * 49 / 50) << failures;
    }
}

TEST(RetryPause, AfterALossIsShort) {
    const RetryPolicy policy;
    SeededEntropy entropy(1);
    EXPECT_EQ(pause_after_loss(policy, 1, entropy), Duration::zero());
    const auto [least, most] =
        range_of([&](Entropy& e) { return pause_after_loss(policy, 15, e); });
    EXPECT_LT(least, Duration(seconds(1)));
    EXPECT_LE(most, Duration(seconds(5)));
    EXPECT_GT(most, Duration(seconds(4)));
}

}  // namespace
}  // namespace tessera
