#include "base/ulid_time.h"

#include "base/entropy.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(UlidTime, IsWhenTheIdWasMade) {
    SeededEntropy entropy(1);
    for (const std::int64_t milliseconds : {0LL, 1LL, 1'795'000'000'123LL, (1LL << 48) - 1}) {
        const WallTime time{std::chrono::milliseconds(milliseconds)};
        EXPECT_EQ(ulid_time(new_ulid(time, entropy)), time);
    }
}

TEST(UlidTime, IsNoneOfAnythingElse) {
    for (const char* id :
         {"",
          "a",
          "01kb0000000000000000000000u",
          "01kb000000000000000000000u",
          "81kb0000000000000000000000",
          "01KB0000000000000000000000"}) {
        EXPECT_FALSE(ulid_time(id).has_value()) << id;
    }
}

}  // namespace
}  // namespace tessera
