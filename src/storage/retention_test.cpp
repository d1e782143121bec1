#include "storage/retention.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

namespace tessera {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallTime kNow{std::chrono::hours(1000)};

EndedJob job(const char* id, int hours_ago, std::uint64_t bytes) {
    return {JobId{id}, kNow - std::chrono::hours(hours_ago), bytes};
}

TEST(RetentionTest, KeepsAllWithoutLimits) {
    EXPECT_THAT(expired_jobs({job("a", 900, 1U << 30U)}, {}, kNow), IsEmpty());
}

TEST(RetentionTest, RemovesWhatIsPastTheAge) {
    EXPECT_THAT(
        expired_jobs(
            {job("new", 1, 5), job("old", 25, 5), job("edge", 24, 5)},
            {.max_age = std::chrono::hours(24)},
            kNow
        ),
        ElementsAre(JobId{"old"})
    );
}

TEST(RetentionTest, RemovesTheOldestUntilTheRestFits) {
    EXPECT_THAT(
        expired_jobs({job("c", 1, 4), job("a", 3, 4), job("b", 2, 4)}, {.max_bytes = 4}, kNow),
        ElementsAre(JobId{"a"}, JobId{"b"})
    );
}

TEST(RetentionTest, KeepsTheNewestWhateverElseIsSaid) {
    EXPECT_THAT(
        expired_jobs(
            {job("a", 300, 4), job("b", 200, 4), job("c", 100, 4)},
            {.max_age = std::chrono::hours(1), .max_bytes = 0, .keep_at_least = 2},
            kNow
        ),
        ElementsAre(JobId{"a"})
    );
}

TEST(RetentionTest, TakesJobsFromTheFutureForNew) {
    EXPECT_THAT(
        expired_jobs({job("a", -5, 4)}, {.max_age = std::chrono::hours(1)}, kNow), IsEmpty()
    );
}

TEST(RetentionTest, WhatRemainsKeepsEveryLimitOrIsTheLeastToKeep) {
    EXPECT_TRUE(rc::check([] {
        const auto numbers = *rc::gen::container<std::vector<std::pair<int, unsigned>>>(
            rc::gen::pair(rc::gen::inRange(-10, 100), rc::gen::inRange(0U, 50U))
        );
        std::vector<EndedJob> jobs;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            jobs.push_back(job(std::to_string(i).c_str(), numbers[i].first, numbers[i].second));
        }
        RetentionPolicy policy;
        policy.max_age = std::chrono::hours(*rc::gen::inRange(0, 100));
        policy.max_bytes = *rc::gen::inRange(0U, 500U);
        policy.keep_at_least = *rc::gen::inRange(0U, 10U);
        const auto expired = expired_jobs(jobs, policy, kNow);
        const std::set<JobId> removed(expired.begin(), expired.end());
        RC_ASSERT(removed.size() == expired.size());

        std::uint64_t bytes = 0;
        bool any_old = false;
        WallTime oldest_kept = WallTime::max();
        WallTime newest_removed = WallTime::min();
        for (const EndedJob& each : jobs) {
            if (removed.contains(each.id)) {
                newest_removed = std::max(newest_removed, each.ended);
            } else {
                bytes += each.bytes;
                any_old = any_old || kNow - each.ended > *policy.max_age;
                oldest_kept = std::min(oldest_kept, each.ended);
            }
        }
        const std::size_t kept = jobs.size() - removed.size();
        RC_ASSERT(newest_removed <= oldest_kept);
        RC_ASSERT(kept >= std::min(jobs.size(), policy.keep_at_least));
        RC_ASSERT(
            kept == policy.keep_at_least || kept == jobs.size() ||
            (bytes <= *policy.max_bytes && !any_old)
        );
    }));
}

}  // namespace
}  // namespace tessera
