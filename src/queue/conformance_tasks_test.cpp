// What every back end promises about claims and how they end.
#include "queue/conformance_test.h"

#include <algorithm>

namespace tessera {
namespace {

using Kind = QueueEvent::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_P(QueueConformance, AClaimHoldsAllThatAWorkerNeeds) {
    JobPlan plan = test_plan({{}, {}, {1, 0}});
    plan.units.resize(2);
    plan.units[1].region = {0, 0, 64, 32};
    plan.units[1].part_of = 0;
    plan.tasks[2].unit = 1;
    const JobId id = enqueued(plan);
    ASSERT_TRUE(complete({id, 0}, claimed({id, 0}).epoch, test_result(10)));
    ASSERT_TRUE(complete({id, 1}, claimed({id, 1}).epoch, test_result(11)));
    const Claim claim = claimed({id, 2}, "w7");
    EXPECT_EQ(claim.task, (TaskId{id, 2}));
    EXPECT_EQ(claim.attempt, 1);
    EXPECT_EQ(claim.lease_ends, clock_.now() + kLease);
    EXPECT_EQ(claim.plan, plan.tasks[2]);
    EXPECT_EQ(claim.unit, plan.units[1]);
    EXPECT_EQ(*claim.job, plan);
    EXPECT_THAT(claim.inputs, ElementsAre(test_result(11), test_result(10)));
    EXPECT_FALSE(claim.checkpoint);
    EXPECT_EQ(claim.epoch.incarnation(), queue().incarnation());
    EXPECT_EQ(view({id, 2}).worker.value, "w7");
}

TEST_P(QueueConformance, OnlyReadyTasksAreClaimed) {
    const JobId id = enqueued(test_plan({{}, {0}}));
    EXPECT_THAT(queue().claim({id, 1}, {"w1"}, kLease), FailsWith(ErrorKind::kConflict));
    EXPECT_THAT(queue().claim({id, 2}, {"w1"}, kLease), FailsWith(ErrorKind::kConflict));
    EXPECT_THAT(queue().claim({id, -1}, {"w1"}, kLease), FailsWith(ErrorKind::kConflict));
    EXPECT_THAT(queue().claim({{"x"}, 0}, {"w1"}, kLease), FailsWith(ErrorKind::kConflict));
    const Claim claim = claimed({id, 0});
    EXPECT_THAT(queue().claim({id, 0}, {"w2"}, kLease), FailsWith(ErrorKind::kConflict));
    ASSERT_TRUE(complete({id, 0}, claim.epoch));
    EXPECT_THAT(queue().claim({id, 0}, {"w2"}, kLease), FailsWith(ErrorKind::kConflict));
}

TEST_P(QueueConformance, AnEnqueuedJobIsNotClaimableBeforeItIsDurable) {
    const JobId id = new_id();
    bool is_answered = false;
    queue().enqueue(id, test_plan(), [&](const Result<Enqueued>& /*done*/) { is_answered = true; });
    if (queue().claim({id, 0}, {"w1"}, kLease)) {
        crash();
        EXPECT_TRUE(queue().job(id)) << "claimed, and yet lost";
    }
    queue().flush();
}

TEST_P(QueueConformance, EachClaimHasALargerEpoch) {
    const JobId id = enqueued(test_pictures(2));
    Epoch last;
    for (int round = 0; round < 3; ++round) {
        for (const int index : {0, 1}) {
            const Claim claim = claimed({id, index});
            EXPECT_GT(claim.epoch, last);
            EXPECT_EQ(claim.attempt, round + 1);
            last = claim.epoch;
        }
        if (round == 1) {
            restart();
        }
        queue().lose_worker({"w1"}, "gone");
        queue().flush();
        pass(kLongestPause);
    }
}

TEST_P(QueueConformance, ALeaseThatRunsOutGivesTheTaskBack) {
    const JobId id = enqueued();
    claimed({id, 0});
    listen();
    const auto next = queue().tick();
    ASSERT_TRUE(next);
    EXPECT_LE(*next, clock_.now() + kLease);
    pass(kLease - std::chrono::seconds(1));
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kRunning);
    pass(std::chrono::seconds(2));
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kReady) << "the first loss costs no pause";
    EXPECT_EQ(view({id, 0}).infrastructure_losses, 1);
    EXPECT_EQ(view({id, 0}).own_failures, 0);
    const auto events = heard();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].kind, Kind::kTaskReturned);
    EXPECT_EQ(events[0].failure->fault, FaultKind::kInfrastructure);
    EXPECT_EQ(events[1].kind, Kind::kTaskReady);
    EXPECT_THAT(events[1].ready->failed_on, IsEmpty());
}

TEST_P(QueueConformance, RenewingKeepsTheTask) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    for (int beat = 0; beat < 5; ++beat) {
        pass(kLease - std::chrono::seconds(1));
        EXPECT_EQ(queue().renew({{id, 0}, claim.epoch, {}}, kLease), RenewAnswer::kGoOn);
    }
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kRunning);
    pass(kLease);
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kReady);
}

TEST_P(QueueConformance, ARenewalMayShortenTheLease) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    EXPECT_EQ(
        queue().renew({{id, 0}, claim.epoch, {}}, std::chrono::seconds(2)), RenewAnswer::kGoOn
    );
    pass(std::chrono::seconds(3));
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kReady);
}

TEST_P(QueueConformance, ARenewalBringsProgress) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    listen();
    const TaskProgress progress{7, 20, "steps"};
    ASSERT_EQ(queue().renew({{id, 0}, claim.epoch, progress}, kLease), RenewAnswer::kGoOn);
    EXPECT_EQ(view({id, 0}).progress, progress);
    const auto events = heard();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].kind, Kind::kTaskProgress);
    EXPECT_EQ(events[0].progress, progress);
}

TEST_P(QueueConformance, WhoWasOnlySilentMayGoOnUntilSomebodyElseHasIt) {
    const JobId id = enqueued(test_pictures(3));
    std::vector<Claim> claims;
    for (const int index : {0, 1, 2}) {
        claims.push_back(claimed({id, index}));
    }
    pass(kLease + std::chrono::seconds(1));
    ASSERT_EQ(state(TaskId{id, 0}), TaskState::kReady);
    listen();
    EXPECT_THAT(kinds_heard(), ElementsAre(Kind::kTaskReady, Kind::kTaskReady, Kind::kTaskReady));
    EXPECT_EQ(queue().renew({{id, 0}, claims[0].epoch, {}}, kLease), RenewAnswer::kGoOn);
    EXPECT_THAT(kinds_heard(), ElementsAre(Kind::kTaskClaimed));
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kRunning);
    EXPECT_THAT(queue().claim({id, 0}, {"w2"}, kLease), FailsWith(ErrorKind::kConflict));
    EXPECT_TRUE(complete({id, 1}, claims[1].epoch)) << "a finished picture is not thrown away";
    const auto readopted = queue().readopt({id, 2}, claims[2].epoch, {"w1"}, kLease);
    ASSERT_TRUE(readopted);
    EXPECT_EQ(readopted->epoch, claims[2].epoch);
    EXPECT_EQ(readopted->attempt, 1);
}

TEST_P(QueueConformance, TheOlderEpochIsWorthNothingOnceThereIsANewerOne) {
    const JobId id = enqueued();
    const Claim old = claimed({id, 0});
    queue().lose_worker({"w1"}, "gone");
    queue().flush();
    const Claim fresh = claimed({id, 0}, "w2");
    EXPECT_EQ(queue().renew({{id, 0}, old.epoch, {}}, kLease), RenewAnswer::kStale);
    EXPECT_THAT(
        queue().checkpoint({id, 0}, old.epoch, test_checkpoint(3)), FailsWith(ErrorKind::kConflict)
    );
    EXPECT_THAT(
        queue().readopt({id, 0}, old.epoch, {"w1"}, kLease), FailsWith(ErrorKind::kConflict)
    );
    EXPECT_THAT(complete({id, 0}, old.epoch), FailsWith(ErrorKind::kConflict));
    EXPECT_THAT(fail_task({id, 0}, old.epoch, own_failure()), FailsWith(ErrorKind::kConflict));
    EXPECT_EQ(view({id, 0}).own_failures, 0);
    EXPECT_TRUE(complete({id, 0}, fresh.epoch));
    EXPECT_EQ(queue().renew({{id, 0}, fresh.epoch, {}}, kLease), RenewAnswer::kStale);
}

TEST_P(QueueConformance, EpochsThatNobodyWasGivenAreWorthNothing) {
    const JobId id = enqueued();
    const std::uint64_t incarnation = queue().incarnation();
    for (const std::uint64_t epoch :
         {std::uint64_t{0},
          std::uint64_t{5},
          (incarnation << 32U) + 77,
          ((incarnation + 1) << 32U) + 1}) {
        EXPECT_THAT(complete({id, 0}, {epoch}), FailsWith(ErrorKind::kConflict)) << epoch;
    }
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kReady);
}

TEST_P(QueueConformance, AWorkerHearsThatItsJobWasCancelled) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    ASSERT_TRUE(cancel(id));
    EXPECT_EQ(queue().renew({{id, 0}, claim.epoch, {}}, kLease), RenewAnswer::kCancelled);
    EXPECT_THAT(complete({id, 0}, claim.epoch), FailsWith(ErrorKind::kConflict));
    EXPECT_THAT(
        queue().readopt({id, 0}, claim.epoch, {"w1"}, kLease), FailsWith(ErrorKind::kConflict)
    );
}

TEST_P(QueueConformance, TheNextAttemptGetsTheCheckpoint) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    ASSERT_TRUE(queue().checkpoint({id, 0}, claim.epoch, test_checkpoint(3)));
    ASSERT_TRUE(queue().checkpoint({id, 0}, claim.epoch, test_checkpoint(9)));
    restart();
    queue().lose_worker({"w1"}, "gone");
    queue().flush();
    const Claim next = claimed({id, 0}, "w2");
    EXPECT_EQ(next.checkpoint, test_checkpoint(9));
    EXPECT_EQ(next.attempt, 2);
}

TEST_P(QueueConformance, TheLastAttemptBeginsWithoutTheCheckpoint) {
    const JobId id = enqueued();
    const Claim first = claimed({id, 0});
    ASSERT_TRUE(queue().checkpoint({id, 0}, first.epoch, test_checkpoint(3)));
    ASSERT_TRUE(fail_task({id, 0}, first.epoch, own_failure()));
    pass(kLongestPause);
    const Claim second = claimed({id, 0});
    EXPECT_TRUE(second.checkpoint);
    ASSERT_TRUE(fail_task({id, 0}, second.epoch, own_failure()));
    pass(kLongestPause);
    EXPECT_FALSE(claimed({id, 0}).checkpoint) << "it may be what kills the task";
}

TEST_P(QueueConformance, ATaskIsReadyWhenAllThatItNeedsIsDone) {
    const JobId id = enqueued(test_plan({{}, {}, {0, 1}}));
    listen();
    static_cast<void>(heard());
    ASSERT_TRUE(complete({id, 0}, claimed({id, 0}).epoch));
    EXPECT_EQ(state(TaskId{id, 2}), TaskState::kBlocked);
    ASSERT_TRUE(complete({id, 1}, claimed({id, 1}).epoch));
    EXPECT_EQ(state(TaskId{id, 2}), TaskState::kReady);
    EXPECT_THAT(
        kinds_heard(),
        ElementsAre(
            Kind::kJobRunning,
            Kind::kTaskClaimed,
            Kind::kTaskDone,
            Kind::kTaskClaimed,
            Kind::kTaskDone,
            Kind::kTaskReady
        )
    );
}

TEST_P(QueueConformance, AJobIsDoneWhenItsTasksAre) {
    const JobId id = enqueued(test_plan({{}, {0}}));
    ASSERT_TRUE(complete({id, 0}, claimed({id, 0}).epoch, test_result(1)));
    clock_.advance(std::chrono::seconds(3));
    const Claim last = claimed({id, 1});
    listen();
    ASSERT_TRUE(complete({id, 1}, last.epoch, test_result(2)));
    for (int round = 0; round < 2; ++round) {
        const JobView job = view(id);
        EXPECT_EQ(job.state, JobState::kDone);
        EXPECT_EQ(job.ended, clock_.wall());
        EXPECT_EQ(job.started, clock_.wall() - std::chrono::seconds(3));
        EXPECT_EQ(job.tasks[1].result, test_result(2));
        EXPECT_EQ(job.tasks[1].ended, clock_.wall());
        restart();
    }
    const auto events = heard();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].kind, Kind::kTaskDone);
    EXPECT_TRUE(events[0].publishes);
    EXPECT_EQ(events[0].result, test_result(2));
    EXPECT_EQ(events[1].kind, Kind::kJobEnded);
    EXPECT_EQ(events[1].job_state, JobState::kDone);
}

TEST_P(QueueConformance, SayingTheSameAgainSucceeds) {
    const JobId id = enqueued(test_pictures(2));
    const Claim first = claimed({id, 0});
    const Claim second = claimed({id, 1});
    EXPECT_TRUE(complete({id, 0}, first.epoch, test_result(1)));
    EXPECT_TRUE(complete({id, 0}, first.epoch, test_result(1)));
    EXPECT_THAT(complete({id, 0}, first.epoch, test_result(2)), FailsWith(ErrorKind::kConflict));
    EXPECT_TRUE(complete({id, 1}, second.epoch, test_result(2)));
    for (int round = 0; round < 2; ++round) {
        EXPECT_TRUE(complete({id, 1}, second.epoch, test_result(2)));
        EXPECT_THAT(
            complete({id, 1}, second.epoch, test_result(1)), FailsWith(ErrorKind::kConflict)
        );
        EXPECT_THAT(
            complete({id, 1}, first.epoch, test_result(2)), FailsWith(ErrorKind::kConflict)
        );
        EXPECT_EQ(view(TaskId{id, 1}).result, test_result(2));
        restart();
    }
}

TEST_P(QueueConformance, TwoWhoSayTheSameAtOnceBothSucceed) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    listen();
    int succeeded = 0;
    for (int i = 0; i < 2; ++i) {
        queue().complete({id, 0}, claim.epoch, test_result(), [&](const Status& done) {
            succeeded += done ? 1 : 0;
        });
    }
    const auto kinds = kinds_heard();
    EXPECT_EQ(succeeded, 2);
    EXPECT_EQ(std::ranges::count(kinds, Kind::kTaskDone), 1);
}

TEST_P(QueueConformance, RefusesAResultThatIsNone) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    TaskResult result = test_result();
    result.object.sha256 = "../../etc/passwd";
    EXPECT_THAT(complete({id, 0}, claim.epoch, result), FailsWith(ErrorKind::kInvalidArgument));
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kRunning);
    TaskCheckpoint checkpoint = test_checkpoint(1);
    checkpoint.step = -1;
    EXPECT_THAT(
        queue().checkpoint({id, 0}, claim.epoch, checkpoint), FailsWith(ErrorKind::kInvalidArgument)
    );
}

TEST_P(QueueConformance, AFailureIsTriedAgainAfterAPauseElsewhere) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    listen();
    ASSERT_TRUE(fail_task({id, 0}, claim.epoch, own_failure()));
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kDelayed);
    EXPECT_THAT(queue().claim({id, 0}, {"w2"}, kLease), FailsWith(ErrorKind::kConflict));
    EXPECT_EQ(view({id, 0}).failure->message, "the render crashed");
    const auto next = queue().tick();
    ASSERT_TRUE(next);
    EXPECT_LE(*next, clock_.now() + std::chrono::seconds(1));
    pass(std::chrono::seconds(1));
    const auto events = heard();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].kind, Kind::kTaskReturned);
    EXPECT_EQ(events[0].failure->fault, FaultKind::kTask);
    EXPECT_EQ(events[1].kind, Kind::kTaskReady);
    EXPECT_THAT(events[1].ready->failed_on, ElementsAre(WorkerId{"w1"}));
    EXPECT_EQ(claimed({id, 0}, "w2").attempt, 2);
}

TEST_P(QueueConformance, APauseOutlivesARestartButNotForEver) {
    const JobId id = enqueued();
    fail_once({id, 0});
    const Claim claim = claimed({id, 0});
    ASSERT_TRUE(fail_task({id, 0}, claim.epoch, own_failure()));
    restart();
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kDelayed);
    clock_.jump(-std::chrono::hours(100));
    restart();
    pass(kLongestPause);
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kReady) << "whatever the wall clock did";
}

TEST_P(QueueConformance, ThreeOwnFailuresAreTheEndEvenOnOneWorker) {
    const JobId id = enqueued(test_plan({{}, {0}, {}}));
    listen();
    fail_once({id, 0});
    fail_once({id, 0});
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kReady);
    static_cast<void>(heard());
    fail_once({id, 0});
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kDead);
    EXPECT_EQ(state(TaskId{id, 1}), TaskState::kDead) << "it needed the other";
    EXPECT_EQ(state(TaskId{id, 2}), TaskState::kReady) << "it did not";
    EXPECT_EQ(state(id), JobState::kRunning);
    EXPECT_THAT(kinds_heard(), ElementsAre(Kind::kTaskClaimed, Kind::kTaskDead, Kind::kTaskDead));
    restart();
    EXPECT_EQ(view({id, 0}).own_failures, 3);
    ASSERT_TRUE(complete({id, 2}, claimed({id, 2}).epoch));
    EXPECT_EQ(state(id), JobState::kFailed);
}

TEST_P(QueueConformance, WhatCannotSucceedIsNotTriedAgain) {
    const JobId id = enqueued();
    kill({id, 0});
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kDead);
    EXPECT_EQ(state(id), JobState::kFailed);
    EXPECT_EQ(view({id, 0}).own_failures, 1);
}

TEST_P(QueueConformance, LossesByTheInfrastructureAreCountedApart) {
    const JobId id = enqueued();
    for (int loss = 0; loss < 19; ++loss) {
        const Claim claim = claimed({id, 0});
        ASSERT_TRUE(fail_task({id, 0}, claim.epoch, infrastructure_failure()));
        pass(std::chrono::seconds(5));
        ASSERT_EQ(state(TaskId{id, 0}), TaskState::kReady) << loss;
    }
    const TaskView task = view({id, 0});
    EXPECT_EQ(task.own_failures, 0);
    EXPECT_EQ(task.infrastructure_losses, 19);
    claimed({id, 0});
    pass(kLease);
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kDead) << "it takes every worker with it";
}

TEST_P(QueueConformance, AWorkerThatGoesGivesBackAllThatItHeld) {
    const JobId id = enqueued(test_pictures(3));
    claimed({id, 0}, "w1");
    claimed({id, 1}, "w2");
    claimed({id, 2}, "w1");
    queue().lose_worker({"w1"}, "its connection broke");
    queue().flush();
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kReady);
    EXPECT_EQ(state(TaskId{id, 1}), TaskState::kRunning);
    EXPECT_EQ(state(TaskId{id, 2}), TaskState::kReady);
    EXPECT_EQ(view({id, 0}).infrastructure_losses, 1);
    EXPECT_THAT(view({id, 0}).failure->message, HasSubstr("its connection broke"));
}

TEST_P(QueueConformance, FailingTwiceUnderOneEpochIsOneFailure) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    EXPECT_TRUE(fail_task({id, 0}, claim.epoch, own_failure()));
    EXPECT_TRUE(fail_task({id, 0}, claim.epoch, own_failure()));
    EXPECT_EQ(view({id, 0}).own_failures, 1);
    EXPECT_THAT(complete({id, 0}, claim.epoch), FailsWith(ErrorKind::kConflict))
        << "it said itself that there is no result";
    restart();
    EXPECT_TRUE(fail_task({id, 0}, claim.epoch, own_failure()));
    EXPECT_EQ(view({id, 0}).own_failures, 1);
}

TEST_P(QueueConformance, ALossThatTurnsOutToBeAFailureIsOne) {
    const JobId id = enqueued(test_pictures(2));
    const Claim own = claimed({id, 0});
    const Claim other = claimed({id, 1});
    pass(kLease);
    EXPECT_TRUE(fail_task({id, 0}, own.epoch, own_failure()));
    EXPECT_EQ(view({id, 0}).own_failures, 1);
    EXPECT_TRUE(fail_task({id, 1}, other.epoch, infrastructure_failure()));
    EXPECT_EQ(view({id, 1}).infrastructure_losses, 1) << "it was counted already";
}

TEST_P(QueueConformance, ADeadTaskKeepsItsLastFailuresWithTheEndOfTheirLogs) {
    const JobId id = enqueued();
    for (int i = 0; i < 6; ++i) {
        const Claim claim = claimed({id, 0}, "w" + std::to_string(i));
        ASSERT_TRUE(fail_task({id, 0}, claim.epoch, infrastructure_failure()));
        pass(kLongestPause);
    }
    const Claim claim = claimed({id, 0}, "w6");
    TaskFailure failure = own_failure(std::string(100'000, 'x') + "\xff the end");
    failure.retryable = false;
    ASSERT_TRUE(fail_task({id, 0}, claim.epoch, failure));
    restart();
    const auto failures = queue().failures({id, 0});
    ASSERT_TRUE(failures);
    ASSERT_EQ(failures->size(), 5U);
    EXPECT_EQ(failures->front().attempt, 7);
    EXPECT_EQ(failures->front().worker.value, "w6");
    EXPECT_EQ(failures->front().epoch, claim.epoch);
    EXPECT_EQ(failures->front().time, clock_.wall());
    EXPECT_LE(failures->front().failure.log.size(), 16U << 10U);
    EXPECT_TRUE(failures->front().failure.log.ends_with("? the end"));
    EXPECT_EQ(failures->back().worker.value, "w2");
    EXPECT_EQ(view({id, 0}).failure, failures->front().failure);
    EXPECT_THAT(queue().failures({{"nobody"}, 0}).value(), IsEmpty());
}

TEST_P(QueueConformance, WhoBeginsToWatchHearsFirstWhatIsReady) {
    const JobId first = enqueued(test_plan({{}, {0}}));
    const JobId second = enqueued(test_plan({{}}, "bob"));
    claimed({first, 0});
    listen();
    const auto events = heard();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].kind, Kind::kTaskReady);
    EXPECT_EQ(events[0].tenant, "bob");
    ASSERT_TRUE(events[0].ready);
    EXPECT_EQ(events[0].ready->id, (TaskId{second, 0}));
    EXPECT_EQ(events[0].ready->affinity, "demo:1234");
    EXPECT_EQ(events[0].ready->cost, 2.0);
}

TEST_P(QueueConformance, WhoStopsWatchingHearsNothingMore) {
    listen();
    handle_.reset();
    enqueued();
    EXPECT_THAT(heard(), IsEmpty());
}

TEST_P(QueueConformance, WatchersHearAJobFromBeginningToEndInOrder) {
    listen();
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    ASSERT_TRUE(complete({id, 0}, claim.epoch));
    const auto events = heard();
    std::vector<Kind> kinds;
    for (const QueueEvent& event : events) {
        EXPECT_EQ(event.job, id);
        EXPECT_EQ(event.tenant, "alice");
        kinds.push_back(event.kind);
    }
    EXPECT_THAT(
        kinds,
        ElementsAre(
            Kind::kJobQueued,
            Kind::kTaskReady,
            Kind::kJobRunning,
            Kind::kTaskClaimed,
            Kind::kTaskDone,
            Kind::kJobEnded
        )
    );
}

}  // namespace
}  // namespace tessera
