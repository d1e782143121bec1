// What every back end promises about a new incarnation: docs/queue.md, "The epoch rule".
#include "queue/conformance_test.h"

namespace tessera {
namespace {

TEST_P(QueueConformance, IncarnationsGrow) {
    const auto first = queue().incarnation();
    restart();
    EXPECT_GT(queue().incarnation(), first);
    const auto second = queue().incarnation();
    crash();
    EXPECT_GT(queue().incarnation(), second);
}

TEST_P(QueueConformance, WhatWasAnsweredIsThereAfterACrash) {
    const JobId queued = enqueued();
    const JobId done = enqueued();
    ASSERT_TRUE(complete({done, 0}, claimed({done, 0}).epoch));
    const JobId cancelled = enqueued();
    ASSERT_TRUE(cancel(cancelled));
    const JobId failed = enqueued();
    ASSERT_TRUE(fail_task({failed, 0}, claimed({failed, 0}).epoch, own_failure()));
    const JobId removed = enqueued();
    ASSERT_TRUE(cancel(removed));
    ASSERT_TRUE(remove(removed));
    const JobId retried = enqueued();
    kill({retried, 0});
    ASSERT_TRUE(retry(retried));
    crash();
    EXPECT_EQ(state(queued), JobState::kQueued);
    EXPECT_EQ(state(done), JobState::kDone);
    EXPECT_EQ(view(done).tasks[0].result, test_result());
    EXPECT_EQ(state(cancelled), JobState::kCancelled);
    EXPECT_EQ(view(TaskId{failed, 0}).own_failures, 1);
    EXPECT_THAT(queue().job(removed), FailsWith(ErrorKind::kNotFound));
    EXPECT_EQ(state(TaskId{retried, 0}), TaskState::kReady);
}

TEST_P(QueueConformance, ARecordedClaimRunsOnForTheGraceAfterARestart) {
    const JobId id = enqueued(test_pictures(2));
    const Claim claim = claimed({id, 0});
    claimed({id, 1});
    clock_.advance(std::chrono::hours(1));
    restart();
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kRunning);
    EXPECT_EQ(view({id, 0}).worker.value, "w1");
    pass(kGrace - std::chrono::seconds(1));
    EXPECT_EQ(queue().renew({{id, 0}, claim.epoch, {}}, kLease), RenewAnswer::kGoOn);
    pass(std::chrono::seconds(2));
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kRunning);
    EXPECT_EQ(state(TaskId{id, 1}), TaskState::kReady) << "its worker did not come back";
    EXPECT_TRUE(complete({id, 0}, claim.epoch));
}

TEST_P(QueueConformance, AWorkerThatComesBackGoesOnUnderItsOldEpoch) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    ASSERT_TRUE(queue().checkpoint({id, 0}, claim.epoch, test_checkpoint(4)));
    restart();
    const auto readopted = queue().readopt({id, 0}, claim.epoch, {"w1"}, kLease);
    ASSERT_TRUE(readopted) << readopted.error().message;
    EXPECT_EQ(readopted->epoch, claim.epoch);
    EXPECT_EQ(readopted->attempt, 1);
    EXPECT_EQ(readopted->checkpoint, test_checkpoint(4));
    EXPECT_EQ(readopted->lease_ends, clock_.now() + kLease);
    EXPECT_TRUE(complete({id, 0}, claim.epoch));
}

TEST_P(QueueConformance, AClaimWithoutARecordIsHonouredUntilTheTaskIsHandedOut) {
    const JobId id = enqueued(test_pictures(5));
    std::vector<Claim> claims;
    for (const int index : {0, 1, 2, 3, 4}) {
        claims.push_back(claimed({id, index}));
    }
    crash();
    ASSERT_EQ(state(TaskId{id, 0}), TaskState::kReady) << "nothing is known of the claim";
    EXPECT_TRUE(complete({id, 0}, claims[0].epoch));
    EXPECT_EQ(queue().renew({{id, 1}, claims[1].epoch, {}}, kLease), RenewAnswer::kGoOn);
    EXPECT_EQ(state(TaskId{id, 1}), TaskState::kRunning);
    const auto readopted = queue().readopt({id, 2}, claims[2].epoch, {"w1"}, kLease);
    ASSERT_TRUE(readopted);
    EXPECT_EQ(readopted->attempt, 1);
    EXPECT_TRUE(fail_task({id, 3}, claims[3].epoch, own_failure()));
    EXPECT_EQ(view({id, 3}).own_failures, 1);

    const Claim fresh = claimed({id, 4}, "w2");
    EXPECT_GT(fresh.epoch, claims[4].epoch);
    EXPECT_THAT(complete({id, 4}, claims[4].epoch), FailsWith(ErrorKind::kConflict));
    EXPECT_EQ(queue().renew({{id, 4}, claims[4].epoch, {}}, kLease), RenewAnswer::kStale);
    EXPECT_TRUE(complete({id, 4}, fresh.epoch, test_result(9)));
    EXPECT_EQ(view({id, 4}).result, test_result(9));
}

TEST_P(QueueConformance, OfTwoOldClaimsTheLargerOneCounts) {
    const JobId id = enqueued();
    const Claim first = claimed({id, 0}, "w1");
    crash();
    const Claim second = claimed({id, 0}, "w2");
    crash();
    ASSERT_TRUE(queue().readopt({id, 0}, first.epoch, {"w1"}, kLease));
    ASSERT_TRUE(queue().readopt({id, 0}, second.epoch, {"w2"}, kLease));
    EXPECT_EQ(queue().renew({{id, 0}, first.epoch, {}}, kLease), RenewAnswer::kStale);
    EXPECT_THAT(complete({id, 0}, first.epoch), FailsWith(ErrorKind::kConflict));
    EXPECT_TRUE(complete({id, 0}, second.epoch));
}

TEST_P(QueueConformance, OfTwoOldClaimsTheFirstThatCommitsWins) {
    const JobId id = enqueued();
    const Claim first = claimed({id, 0}, "w1");
    crash();
    const Claim second = claimed({id, 0}, "w2");
    crash();
    EXPECT_TRUE(complete({id, 0}, first.epoch, test_result(1)));
    EXPECT_THAT(complete({id, 0}, second.epoch, test_result(2)), FailsWith(ErrorKind::kConflict));
    EXPECT_EQ(view({id, 0}).result, test_result(1));
}

TEST_P(QueueConformance, ARecordedEpochOutdatesTheSmallerOnes) {
    const JobId id = enqueued();
    const Claim first = claimed({id, 0}, "w1");
    queue().lose_worker({"w1"}, "gone");
    queue().flush();
    const Claim second = claimed({id, 0}, "w2");
    restart();
    EXPECT_THAT(complete({id, 0}, first.epoch), FailsWith(ErrorKind::kConflict));
    EXPECT_THAT(
        queue().readopt({id, 0}, first.epoch, {"w1"}, kLease), FailsWith(ErrorKind::kConflict)
    );
    EXPECT_TRUE(complete({id, 0}, second.epoch));
}

TEST_P(QueueConformance, ALateResultCountsEvenAfterTheGrace) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    restart();
    pass(kGrace + std::chrono::seconds(1));
    ASSERT_EQ(state(TaskId{id, 0}), TaskState::kReady);
    EXPECT_TRUE(complete({id, 0}, claim.epoch));
}

TEST_P(QueueConformance, AFailureThatWasReportedIsOverAfterARestartToo) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    ASSERT_TRUE(fail_task({id, 0}, claim.epoch, own_failure()));
    crash();
    EXPECT_THAT(complete({id, 0}, claim.epoch), FailsWith(ErrorKind::kConflict));
    EXPECT_THAT(
        queue().readopt({id, 0}, claim.epoch, {"w1"}, kLease), FailsWith(ErrorKind::kConflict)
    );
}

TEST_P(QueueConformance, ABlockedTaskHasNoClaimsToHonour) {
    const JobId id = enqueued(test_plan({{}, {0}}));
    const Claim claim = claimed({id, 0});
    crash();
    EXPECT_THAT(complete({id, 1}, {claim.epoch.value + 1}), FailsWith(ErrorKind::kConflict));
    EXPECT_EQ(state(TaskId{id, 1}), TaskState::kBlocked);
}

TEST_P(QueueConformance, InputsAndDependenciesOutliveARestart) {
    const JobId id = enqueued(test_plan({{}, {}, {0, 1}}));
    ASSERT_TRUE(complete({id, 0}, claimed({id, 0}).epoch, test_result(1)));
    crash();
    ASSERT_TRUE(complete({id, 1}, claimed({id, 1}).epoch, test_result(2)));
    const Claim claim = claimed({id, 2});
    EXPECT_THAT(claim.inputs, testing::ElementsAre(test_result(1), test_result(2)));
}

}  // namespace
}  // namespace tessera
