#include "scheduler/scheduler.h"

#include "scheduler/farm_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera {
namespace {

using testing::ElementsAre;

TEST(Scheduler, GivesATaskOnceAndOnlyForCredit) {
    TestFarm farm(TestFarm::plain());
    farm.ready(TestFarm::task("a"));
    EXPECT_FALSE(farm.next());
    farm.join("one");
    farm.ready(TestFarm::task("b"));
    EXPECT_EQ(farm.next_job(), "a");
    EXPECT_FALSE(farm.next());
    farm.scheduler.worker_credit(WorkerId{"one"}, 1);
    EXPECT_EQ(farm.next_job(), "b");
    farm.scheduler.worker_credit(WorkerId{"one"}, 1);
    EXPECT_FALSE(farm.next());
    EXPECT_EQ(farm.scheduler.running_tasks(), 2U);
}

TEST(Scheduler, CreditIsCappedAtTheSlots) {
    TestFarm farm(TestFarm::plain());
    farm.join("one", 2);
    farm.scheduler.worker_credit(WorkerId{"one"}, 1'000'000);
    farm.scheduler.worker_credit(WorkerId{"one"}, -5);
    for (int i = 0; i < 5; ++i) {
        farm.ready(TestFarm::task("a", i));
    }
    EXPECT_TRUE(farm.next());
    EXPECT_TRUE(farm.next());
    EXPECT_FALSE(farm.next());
}

TEST(Scheduler, ATaskNeedsAWorkerWithItsModelUnlessItNeedsNone) {
    TestFarm farm(TestFarm::plain());
    farm.join("one", 4, {"sd15"});
    ReadyTask other = TestFarm::task("other");
    other.affinity = "sdxl";
    farm.ready(other);
    EXPECT_FALSE(farm.next());
    EXPECT_EQ(farm.scheduler.outlook(other.id, farm.now)->reason, WaitReason::kNoModel);
    ReadyTask any = TestFarm::task("any");
    any.affinity = "";
    any.kind = TaskKind::kMerge;
    farm.ready(any);
    EXPECT_EQ(farm.next_job(), "any");
    farm.scheduler.worker_models(WorkerId{"one"}, {{"sd15", true}, {"sdxl", false}});
    EXPECT_EQ(farm.next_job(), "other");
}

TEST(Scheduler, AWorkerThatStopsOfferingAModelGetsNoneOfItsTasks) {
    TestFarm farm(TestFarm::plain());
    farm.join("one", 2, {"sd15", "sdxl"});
    farm.scheduler.worker_models(WorkerId{"one"}, {{"sdxl", true}});
    farm.ready(TestFarm::task("a"));
    EXPECT_FALSE(farm.next());
}

TEST(Scheduler, ADrainingWorkerGetsNothing) {
    TestFarm farm(TestFarm::plain());
    farm.join("one");
    farm.scheduler.worker_draining(WorkerId{"one"});
    farm.ready(TestFarm::task("a"));
    EXPECT_FALSE(farm.next());
    EXPECT_EQ(
        farm.scheduler.outlook(TestFarm::task("a").id, farm.now)->reason, WaitReason::kDraining
    );
}

TEST(Scheduler, AGoneTaskIsNotGiven) {
    TestFarm farm(TestFarm::plain());
    farm.ready(TestFarm::task("a"));
    farm.ready(TestFarm::task("b"));
    farm.scheduler.task_gone(TestFarm::task("a").id, farm.now);
    farm.join("one");
    EXPECT_EQ(farm.next_job(), "b");
}

TEST(Scheduler, AnAssignmentThatFellThroughReturnsTheTaskToItsPlaceAndTheCredit) {
    TestFarm farm(TestFarm::plain());
    farm.join("one");
    farm.ready(TestFarm::task("a"));
    farm.ready(TestFarm::task("b"));
    const auto first = farm.scheduler.next(farm.now);
    EXPECT_EQ(first->task.job.value, "a");
    farm.scheduler.assignment_failed(first->task, true);
    const auto again = farm.scheduler.next(farm.now);
    EXPECT_EQ(again->task.job.value, "a");
    farm.scheduler.assignment_failed(again->task, false);
    EXPECT_EQ(farm.next_job(), "b");
}

TEST(Scheduler, TasksOfAWorkerThatLeftAreForgottenUntilTheyAreReadyAgain) {
    TestFarm farm(TestFarm::plain());
    farm.join("one");
    farm.ready(TestFarm::task("a"));
    EXPECT_EQ(farm.next_job(), "a");
    farm.scheduler.worker_left(WorkerId{"one"});
    EXPECT_EQ(farm.scheduler.running_tasks(), 0U);
    farm.join("two");
    EXPECT_FALSE(farm.next());
    farm.ready(TestFarm::task("a"));
    EXPECT_EQ(farm.next_worker(), "two");
}

TEST(Scheduler, ATaskThatAWorkerStillHoldsIsNotGivenToAnother) {
    TestFarm farm(TestFarm::plain());
    farm.ready(TestFarm::task("a"));
    farm.join("one");
    farm.join("two");
    farm.scheduler.task_held(TestFarm::task("a"), WorkerId{"two"}, farm.now, farm.wall());
    EXPECT_FALSE(farm.next());
    EXPECT_EQ(farm.scheduler.workers()[1].running.size(), 1U);
    EXPECT_EQ(farm.scheduler.workers()[1].credit, 1);
}

TEST(Scheduler, ATaskAvoidsWorkersOnWhichItFailed) {
    TestFarm farm(TestFarm::plain());
    farm.join("one");
    farm.join("two");
    ReadyTask task = TestFarm::task("a");
    task.failed_on = {WorkerId{"one"}};
    farm.ready(task);
    EXPECT_EQ(farm.next_worker(), "two");
    // "two" is busy but lives: the next one waits for it.
    task.id.index = 1;
    farm.ready(task);
    EXPECT_FALSE(farm.next());
    EXPECT_EQ(farm.scheduler.outlook(task.id, farm.now)->reason, WaitReason::kFailedThere);
    farm.scheduler.worker_left(WorkerId{"two"});
    EXPECT_EQ(farm.next_worker(), "one");
}

TEST(Scheduler, ATaskThatFailedEverywhereMayGoAnywhere) {
    TestFarm farm(TestFarm::plain());
    farm.join("one");
    farm.join("two");
    ReadyTask task = TestFarm::task("a");
    task.failed_on = {WorkerId{"two"}, WorkerId{"one"}, WorkerId{"long gone"}};
    farm.ready(task);
    EXPECT_TRUE(farm.next());
}

void fail_on(TestFarm& farm, const std::string& worker, int times) {
    for (int i = 0; i < times; ++i) {
        // The others are avoided by name.
        ReadyTask task = TestFarm::task("bad on " + worker, i);
        for (const WorkerView& view : farm.scheduler.workers()) {
            if (view.id.value != worker) {
                task.failed_on.push_back(view.id);
            }
        }
        farm.ready(task);
        const auto assignment = farm.next();
        ASSERT_EQ(assignment->worker.value, worker);
        farm.end(*assignment, 1.0, TaskOutcome::kOwnFault);
    }
}

TEST(Scheduler, AWorkerThatFailsThreeTimesInARowIsKeptOffThatKind) {
    TestFarm farm(TestFarm::plain());
    farm.join("bad");
    farm.join("good");
    fail_on(farm, "bad", 3);
    EXPECT_THAT(farm.scheduler.workers()[0].kept_off, ElementsAre(TaskKind::kRender));
    farm.ready(TestFarm::task("a"));
    farm.ready(TestFarm::task("b"));
    EXPECT_EQ(farm.next_worker(), "good");
    EXPECT_FALSE(farm.next());
    EXPECT_EQ(
        farm.scheduler.outlook(TestFarm::task("b").id, farm.now)->reason, WaitReason::kKeptOff
    );
    // Of other kinds it gets some.
    ReadyTask merge = TestFarm::task("c");
    merge.kind = TaskKind::kMerge;
    farm.ready(merge);
    EXPECT_EQ(farm.next_worker(), "bad");
}

TEST(Scheduler, ASuccessBetweenFailuresClearsAWorker) {
    TestFarm farm(TestFarm::plain());
    farm.join("one");
    farm.join("two");
    fail_on(farm, "one", 2);
    ReadyTask fine = TestFarm::task("fine");
    fine.failed_on = {WorkerId{"two"}};
    farm.ready(fine);
    farm.end(*farm.next());
    fail_on(farm, "one", 2);
    EXPECT_TRUE(farm.scheduler.workers()[0].kept_off.empty());
}

TEST(Scheduler, ALoneWorkerEndsTheJobHoweverOftenItFailed) {
    TestFarm farm(TestFarm::plain());
    farm.join("bad");
    farm.join("good");
    fail_on(farm, "bad", 3);
    farm.ready(TestFarm::task("a"));
    farm.ready(TestFarm::task("b"));
    EXPECT_EQ(farm.next_worker(), "good");
    EXPECT_FALSE(farm.next());
    farm.scheduler.worker_left(WorkerId{"good"});
    EXPECT_EQ(farm.next_worker(), "bad");
    farm.join("better");
    farm.ready(TestFarm::task("c"));
    farm.scheduler.worker_credit(WorkerId{"bad"}, 1);
    farm.ready(TestFarm::task("d"));
    EXPECT_EQ(farm.next_worker(), "better");
    EXPECT_FALSE(farm.next());
}

TEST(Scheduler, ASuccessorIsNoOtherWorkerToATaskThatFailedBeforeIt) {
    TestFarm farm(TestFarm::plain());
    farm.join("one");
    farm.join("two");
    ReadyTask task = TestFarm::task("a");
    task.failed_on = {WorkerId{"one"}};
    farm.scheduler.worker_left(WorkerId{"one"});
    farm.replace("one", "one again");
    farm.replace("one again", "one for the third time");
    farm.ready(task);
    EXPECT_EQ(farm.next_worker(), "two");
    task.id.index = 1;
    farm.ready(task);
    EXPECT_FALSE(farm.next()) << "\"two\" is busy but lives";
    EXPECT_EQ(farm.scheduler.outlook(task.id, farm.now)->reason, WaitReason::kFailedThere);
    farm.scheduler.worker_left(WorkerId{"two"});
    EXPECT_EQ(farm.next_worker(), "one for the third time") << "nobody else is left";
}

TEST(Scheduler, ASuccessorOfAProcessThatWasNeverSeenHereStandsInItsPlaceToo) {
    TestFarm farm(TestFarm::plain());
    ReadyTask task = TestFarm::task("a");
    task.failed_on = {WorkerId{"before the restart"}};
    farm.ready(task);
    farm.replace("before the restart", "one");
    farm.join("two");
    EXPECT_EQ(farm.next_worker(), "two");
}

TEST(Scheduler, FailuresAtOnePlaceAreThoseOfOneWorker) {
    TestFarm farm(TestFarm::plain());
    farm.replace("first", "second");
    farm.join("two");
    farm.join("three");
    ReadyTask task = TestFarm::task("a");
    // It failed at both lives of one place, and at another: one worker is left that may try.
    task.failed_on = {WorkerId{"first"}, WorkerId{"second"}, WorkerId{"two"}};
    farm.ready(task);
    EXPECT_EQ(farm.next_worker(), "three");
}

TEST(Scheduler, TheSuccessorsOfAPlaceGoOnWithItsFailures) {
    TestFarm farm(TestFarm::plain());
    farm.join("good");
    farm.join("bad");
    fail_on(farm, "bad", 2);
    farm.scheduler.worker_left(WorkerId{"bad"});
    farm.pass(600.0);
    farm.replace("bad", "bad again");
    EXPECT_TRUE(farm.scheduler.workers()[1].kept_off.empty());
    farm.scheduler.worker_left(WorkerId{"bad again"});
    farm.join("bad again");  // its link had broken
    fail_on(farm, "bad again", 1);
    farm.replace("bad again", "bad for the third time");
    EXPECT_THAT(farm.scheduler.workers()[1].kept_off, ElementsAre(TaskKind::kRender));
    // One that starts anew without saying what it replaces is another worker.
    farm.join("new");
    EXPECT_TRUE(farm.scheduler.workers()[2].kept_off.empty());
}

TEST(Scheduler, AFailureThatIsToldAfterTheWorkerLeftCountsAtItsPlace) {
    TestFarm farm(TestFarm::plain());
    farm.join("good");
    farm.join("bad");
    fail_on(farm, "bad", 1);
    farm.scheduler.worker_left(WorkerId{"bad"});
    farm.scheduler.worker_failed(WorkerId{"bad"}, TaskKind::kRender);
    farm.replace("bad", "bad again");
    EXPECT_TRUE(farm.scheduler.workers()[1].kept_off.empty());
    farm.scheduler.worker_failed(WorkerId{"bad"}, TaskKind::kRender);
    EXPECT_THAT(farm.scheduler.workers()[1].kept_off, ElementsAre(TaskKind::kRender));
}

TEST(Scheduler, TellsWhyATaskWaitsAndWhereItStands) {
    TestFarm farm(TestFarm::plain());
    for (int i = 0; i < 10; ++i) {
        farm.ready(TestFarm::task("a", i));
    }
    const TaskId last{JobId{"a"}, 9};
    EXPECT_EQ(farm.scheduler.outlook(last, farm.now)->reason, WaitReason::kNoWorker);
    farm.join("one");
    farm.join("two");
    EXPECT_EQ(farm.scheduler.outlook(TaskId{JobId{"a"}, 0}, farm.now)->start, farm.now);
    EXPECT_EQ(farm.scheduler.outlook(last, farm.now)->reason, WaitReason::kTurn);
    EXPECT_EQ(farm.scheduler.outlook(last, farm.now)->position, 9U);
    const auto running = farm.next();
    EXPECT_TRUE(farm.next());
    const auto outlook = farm.scheduler.outlook(last, farm.now);
    EXPECT_EQ(outlook->reason, WaitReason::kAllBusy);
    EXPECT_EQ(outlook->position, 7U);
    EXPECT_FALSE(outlook->running);
    // Two workers, a second each: two run, seven are before it.
    EXPECT_NEAR(seconds_of(outlook->start - farm.now), 4.5, 0.01);
    EXPECT_NEAR(seconds_of(outlook->finish - farm.now), 5.5, 0.01);
    EXPECT_TRUE(farm.scheduler.outlook(running->task, farm.now)->running);
    EXPECT_EQ(farm.scheduler.outlook(JobId{"a"}, farm.now)->finish, outlook->finish);
    EXPECT_TRUE(farm.scheduler.outlook(JobId{"a"}, farm.now)->running);
    EXPECT_FALSE(farm.scheduler.outlook(JobId{"b"}, farm.now));
    EXPECT_NEAR(farm.scheduler.backlog_seconds(farm.now), 5.0, 0.01);
}

TEST(Scheduler, ProgressMovesTheExpectedEnd) {
    TestFarm farm(TestFarm::plain());
    farm.join("one");
    ReadyTask task = TestFarm::task("a");
    task.cost = 10.0;
    farm.ready(task);
    EXPECT_TRUE(farm.next());
    EXPECT_EQ(farm.scheduler.outlook(task.id, farm.now)->finish, farm.now + duration_of(10.0));
    farm.pass(2.0);
    farm.scheduler.task_progress(task.id, {10, 20, "steps"}, farm.now);
    EXPECT_EQ(farm.scheduler.outlook(task.id, farm.now)->finish, farm.now + duration_of(5.0));
}

TEST(Scheduler, TheTimeToRetryFollowsTheBacklog) {
    TestFarm farm(TestFarm::plain());
    EXPECT_EQ(farm.scheduler.retry_after(farm.now), std::chrono::seconds(1));
    farm.join("one");
    farm.join("two");
    for (int i = 0; i < 1000; ++i) {
        farm.ready(TestFarm::task("a", i));
    }
    EXPECT_NEAR(seconds_of(farm.scheduler.retry_after(farm.now)), 50.0, 0.1);
    for (int i = 0; i < 100'000; ++i) {
        farm.ready(TestFarm::task("b", i));
    }
    EXPECT_EQ(farm.scheduler.retry_after(farm.now), std::chrono::minutes(10));
}

TEST(Scheduler, HostileNumbersDoNoHarm) {
    TestFarm farm(TestFarm::plain());
    farm.join("one", -3);
    ReadyTask task = TestFarm::task("a");
    int index = 0;
    for (const double cost :
         {-1.0,
          0.0,
          1e300,
          std::numeric_limits<double>::infinity(),
          std::numeric_limits<double>::quiet_NaN()}) {
        task.id.index = index++;
        task.cost = cost;
        task.deadline = WallTime::max();
        task.submitted = WallTime::min();
        farm.scheduler.task_ready(task, farm.now, farm.wall());
        farm.scheduler.worker_credit(WorkerId{"one"}, 1);
        const auto assignment = farm.next();
        ASSERT_TRUE(assignment);
        farm.end(*assignment, cost);
    }
}

TEST(Assignment, SaysWhyInOneSentence) {
    TestFarm farm(TestFarm::plain());
    farm.join("one");
    farm.ready(TestFarm::task("a"));
    EXPECT_EQ(
        why(*farm.next()), "the worker has its model loaded; earliest_finish of 1, about 1.0 s"
    );
}

TEST(Scheduler, ASilentWorkerGetsNothingUntilItIsHeardOfAgain) {
    TestFarm farm(TestFarm::plain());
    farm.join("one");
    farm.scheduler.worker_silent(WorkerId{"one"}, true);
    farm.ready(TestFarm::task("job"));
    EXPECT_FALSE(farm.next());
    farm.scheduler.worker_silent(WorkerId{"one"}, false);
    EXPECT_TRUE(farm.next());
}

}  // namespace
}  // namespace tessera
