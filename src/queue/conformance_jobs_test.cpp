// What every back end promises about whole jobs.
#include "queue/conformance_test.h"

#include <algorithm>

namespace tessera {
namespace {

using Kind = QueueEvent::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_P(QueueConformance, KeepsAPlanWhole) {
    JobPlan plan = test_plan({{}, {0}});
    plan.remarks = {"rendered at 512 x 512"};
    plan.spec.webhook = "https://example.org/hook";
    const JobId id = enqueued(plan);
    restart();
    const JobView job = view(id);
    EXPECT_EQ(*job.plan, plan);
    EXPECT_EQ(job.state, JobState::kQueued);
    EXPECT_EQ(job.submitted, clock_.wall());
    EXPECT_FALSE(job.started || job.ended);
    ASSERT_EQ(job.tasks.size(), 2U);
    EXPECT_EQ(job.tasks[0].state, TaskState::kReady);
    EXPECT_EQ(job.tasks[1].state, TaskState::kBlocked);
}

TEST_P(QueueConformance, RefusesAPlanThatCannotBeDone) {
    JobPlan backwards = test_plan({{1}, {}});
    JobPlan empty = test_plan();
    empty.tasks.clear();
    for (const JobPlan& plan : {backwards, empty}) {
        const JobId id = new_id();
        EXPECT_THAT(enqueue(id, plan), FailsWith(ErrorKind::kInvalidArgument));
        EXPECT_THAT(queue().job(id), FailsWith(ErrorKind::kNotFound));
    }
    EXPECT_THAT(enqueue({"../etc"}, test_plan()), FailsWith(ErrorKind::kInvalidArgument));
}

TEST_P(QueueConformance, AnIdIsUsedOnce) {
    const JobId id = enqueued();
    EXPECT_THAT(enqueue(id, test_plan()), FailsWith(ErrorKind::kConflict));
    restart();
    EXPECT_THAT(enqueue(id, test_plan()), FailsWith(ErrorKind::kConflict));
}

TEST_P(QueueConformance, AsksForAdmissionUnlessTheJobIsThere) {
    JobPlan plan = test_pictures(3);
    plan.spec.idempotency_key = "order-7";
    const auto ask = [&](std::size_t most) {
        return answer<Enqueued>([&](auto done) {
            queue().enqueue(new_id(), plan, done, [most](const QueueCounts& there) {
                return there.ready < most
                           ? Status()
                           : Status(fail(ErrorKind::kExhausted, "{} wait", there.ready));
            });
        });
    };
    EXPECT_THAT(ask(0), FailsWith(ErrorKind::kExhausted));
    const auto first = ask(1);
    ASSERT_TRUE(first);
    EXPECT_EQ(ask(0)->job, first->job) << "a repeat is answered though nothing more is taken";
    plan.spec.idempotency_key = "order-8";
    EXPECT_THAT(ask(3), FailsWith(ErrorKind::kExhausted));
    plan.spec.tenant = "bob";
    EXPECT_TRUE(ask(1)) << "counts are the tenant's own";
}

TEST_P(QueueConformance, TheSameBodyUnderTheSameKeyIsTheSameJob) {
    JobPlan plan = test_plan();
    plan.spec.idempotency_key = "order-7";
    const JobId first = enqueued(plan);
    plan.spec.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (int round = 0; round < 2; ++round) {
        const auto again = enqueue(new_id(), plan);
        ASSERT_TRUE(again);
        EXPECT_EQ(again->job, first);
        EXPECT_TRUE(again->existed);
        restart();
    }
    EXPECT_EQ(queue().counts("").ready, 1U);
}

TEST_P(QueueConformance, AnotherBodyUnderTheSameKeyIsAConflictThatNamesTheKey) {
    JobPlan plan = test_plan();
    plan.spec.idempotency_key = "order-7";
    enqueued(plan);
    plan.spec.render.prompt = "a harbour";
    const auto refused = enqueue(new_id(), plan);
    ASSERT_THAT(refused, FailsWith(ErrorKind::kConflict));
    EXPECT_THAT(refused.error().message, HasSubstr("order-7"));
}

TEST_P(QueueConformance, KeysAreATenantsOwn) {
    JobPlan plan = test_plan();
    plan.spec.idempotency_key = "order-7";
    const JobId alices = enqueued(plan);
    plan.spec.tenant = "bob";
    const auto bobs = enqueue(new_id(), plan);
    ASSERT_TRUE(bobs);
    EXPECT_FALSE(bobs->existed);
    EXPECT_NE(bobs->job, alices);
}

TEST_P(QueueConformance, AKeyIsFreeAgainWhenItsJobIsRemoved) {
    JobPlan plan = test_plan();
    plan.spec.idempotency_key = "order-7";
    const JobId first = enqueued(plan);
    ASSERT_TRUE(cancel(first));
    EXPECT_TRUE(enqueue(new_id(), plan)->existed);
    ASSERT_TRUE(remove(first));
    EXPECT_FALSE(enqueue(new_id(), plan)->existed);
}

TEST_P(QueueConformance, ManyAtOnceUnderOneKeyAreOneJob) {
    JobPlan plan = test_plan();
    plan.spec.idempotency_key = "order-7";
    std::vector<Enqueued> answers;
    for (int i = 0; i < 5; ++i) {
        queue().enqueue(new_id(), plan, [&](const Result<Enqueued>& answer) {
            answers.push_back(answer.value());
        });
    }
    queue().flush();
    ASSERT_EQ(answers.size(), 5U);
    EXPECT_EQ(std::ranges::count(answers, false, &Enqueued::existed), 1);
    for (const Enqueued& answer : answers) {
        EXPECT_EQ(answer.job, answers.front().job);
    }
}

TEST_P(QueueConformance, ListsTheNewestFirstInPages) {
    std::vector<JobId> ids;
    for (int i = 0; i < 5; ++i) {
        ids.push_back(enqueued());
    }
    ASSERT_TRUE(cancel(ids[3]));
    JobFilter filter;
    filter.limit = 2;
    std::vector<JobId> listed;
    for (int page = 0; page < 4; ++page) {
        const auto jobs = queue().jobs(filter);
        ASSERT_TRUE(jobs);
        for (const JobView& job : *jobs) {
            listed.push_back(job.id);
            filter.before = job.id;
        }
    }
    EXPECT_THAT(listed, ElementsAre(ids[4], ids[3], ids[2], ids[1], ids[0]));
}

TEST_P(QueueConformance, ListsByTenantStateAndTag) {
    const JobId running = enqueued();
    claimed({running, 0});
    const JobId queued = enqueued();
    const JobId bobs = enqueued(test_plan({{}}, "bob"));
    JobPlan plan = test_plan();
    plan.spec.client_tag = "task(abc)";
    const JobId tagged = enqueued(plan);
    ASSERT_TRUE(cancel(tagged));

    const auto ids = [&](const JobFilter& filter) {
        std::vector<JobId> found;
        const auto jobs = queue().jobs(filter);
        for (const JobView& job : jobs.value()) {
            found.push_back(job.id);
        }
        return found;
    };
    JobFilter filter;
    filter.tenant = "alice";
    EXPECT_THAT(ids(filter), ElementsAre(tagged, queued, running));
    filter.state = JobState::kQueued;
    EXPECT_THAT(ids(filter), ElementsAre(queued));
    filter.state = JobState::kRunning;
    EXPECT_THAT(ids(filter), ElementsAre(running));
    filter.state = JobState::kCancelled;
    EXPECT_THAT(ids(filter), ElementsAre(tagged));
    filter.state.reset();
    filter.client_tag = "task(abc)";
    EXPECT_THAT(ids(filter), ElementsAre(tagged));
    filter.tenant = "bob";
    EXPECT_THAT(ids(filter), IsEmpty());
    filter.client_tag.clear();
    EXPECT_THAT(ids(filter), ElementsAre(bobs));
}

TEST_P(QueueConformance, ListsLiveJobsAsTheyAreNow) {
    const JobId id = enqueued();
    claimed({id, 0});
    const auto jobs = queue().jobs({});
    ASSERT_EQ(jobs->size(), 1U);
    EXPECT_EQ(jobs->front().state, JobState::kRunning);
    EXPECT_EQ(jobs->front().tasks[0].state, TaskState::kRunning);
    EXPECT_EQ(jobs->front().tasks[0].worker.value, "w1");
}

TEST_P(QueueConformance, CancelEndsAJobAtOnce) {
    const JobId id = enqueued(test_plan({{}, {}, {0, 1}}));
    const Claim claim = claimed({id, 0});
    ASSERT_TRUE(complete({id, 0}, claim.epoch));
    const Claim running = claimed({id, 1});
    listen();
    static_cast<void>(heard());
    ASSERT_TRUE(cancel(id));
    EXPECT_EQ(state(id), JobState::kCancelled);
    EXPECT_TRUE(view(id).ended);
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kDone);
    EXPECT_EQ(state(TaskId{id, 1}), TaskState::kCancelled);
    EXPECT_EQ(state(TaskId{id, 2}), TaskState::kCancelled);
    const auto events = heard();
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].kind, Kind::kTaskCancelled);
    EXPECT_EQ(events[0].worker.value, "w1");
    EXPECT_EQ(events[0].epoch, running.epoch);
    EXPECT_EQ(events[2].kind, Kind::kJobEnded);
    EXPECT_EQ(events[2].job_state, JobState::kCancelled);
    restart();
    EXPECT_EQ(state(id), JobState::kCancelled);
    EXPECT_EQ(queue().counts("").ready, 0U);
}

TEST_P(QueueConformance, CancelTwiceSucceedsAndCancelOfAnEndedJobConflicts) {
    const JobId id = enqueued();
    ASSERT_TRUE(cancel(id));
    EXPECT_TRUE(cancel(id));
    const JobId done = enqueued();
    ASSERT_TRUE(complete({done, 0}, claimed({done, 0}).epoch));
    EXPECT_THAT(cancel(done), FailsWith(ErrorKind::kConflict));
    EXPECT_THAT(cancel({"nobody"}), FailsWith(ErrorKind::kNotFound));
}

TEST_P(QueueConformance, OnlyEndedJobsAreRemoved) {
    const JobId id = enqueued();
    EXPECT_THAT(remove(id), FailsWith(ErrorKind::kConflict));
    ASSERT_TRUE(complete({id, 0}, claimed({id, 0}).epoch));
    listen();
    ASSERT_TRUE(remove(id));
    EXPECT_THAT(kinds_heard(), ElementsAre(Kind::kJobDeleted));
    EXPECT_THAT(queue().job(id), FailsWith(ErrorKind::kNotFound));
    EXPECT_THAT(remove(id), FailsWith(ErrorKind::kNotFound));
    EXPECT_THAT(queue().referenced_objects().value(), IsEmpty());
}

TEST_P(QueueConformance, AJobCanEndAndBeRemovedInOneBreath) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    std::vector<bool> answers;
    const auto note = [&](const Status& done) { answers.push_back(done.has_value()); };
    queue().complete({id, 0}, claim.epoch, test_result(), note);
    queue().remove(id, note);
    queue().flush();
    EXPECT_THAT(answers, ElementsAre(true, true));
    EXPECT_THAT(queue().job(id), FailsWith(ErrorKind::kNotFound));
}

TEST_P(QueueConformance, AJobCanBeCancelledBeforeItIsAnswered) {
    const JobId id = new_id();
    std::vector<bool> answers;
    queue().enqueue(id, test_plan(), [&](const Result<Enqueued>& done) {
        answers.push_back(done.has_value());
    });
    queue().cancel(id, [&](const Status& done) { answers.push_back(done.has_value()); });
    queue().flush();
    EXPECT_THAT(answers, ElementsAre(true, true));
    EXPECT_EQ(state(id), JobState::kCancelled);
}

TEST_P(QueueConformance, TellsWhichJobsEndedLongAgo) {
    const JobId first = enqueued();
    const JobId second = enqueued();
    enqueued();
    ASSERT_TRUE(cancel(second));
    clock_.advance(std::chrono::hours(1));
    ASSERT_TRUE(cancel(first));
    EXPECT_THAT(queue().ended_before(clock_.wall(), 10).value(), ElementsAre(second));
    clock_.advance(std::chrono::hours(1));
    EXPECT_THAT(queue().ended_before(clock_.wall(), 10).value(), ElementsAre(second, first));
    EXPECT_THAT(queue().ended_before(clock_.wall(), 1).value(), ElementsAre(second));
}

TEST_P(QueueConformance, RetryGivesDeadTasksANewLife) {
    const JobId id = enqueued(test_plan({{}, {}, {0, 1}}));
    ASSERT_TRUE(complete({id, 0}, claimed({id, 0}).epoch, test_result(5)));
    kill({id, 1});
    ASSERT_EQ(state(id), JobState::kFailed);
    listen();
    ASSERT_TRUE(retry(id));
    EXPECT_THAT(kinds_heard(), ElementsAre(Kind::kJobQueued, Kind::kTaskReady));
    EXPECT_EQ(state(id), JobState::kQueued);
    EXPECT_FALSE(view(id).ended);
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kDone);
    EXPECT_EQ(state(TaskId{id, 1}), TaskState::kReady);
    EXPECT_EQ(state(TaskId{id, 2}), TaskState::kBlocked);
    EXPECT_EQ(view(TaskId{id, 1}).own_failures, 0);
    restart();
    ASSERT_TRUE(complete({id, 1}, claimed({id, 1}).epoch, test_result(6)));
    const Claim last = claimed({id, 2});
    ASSERT_EQ(last.inputs.size(), 2U);
    EXPECT_EQ(last.inputs[0].object.sha256, test_hash(5));
    EXPECT_EQ(last.inputs[1].object.sha256, test_hash(6));
    ASSERT_TRUE(complete({id, 2}, last.epoch));
    EXPECT_EQ(state(id), JobState::kDone);
}

TEST_P(QueueConformance, RetryWorksWhileTheRestOfTheJobGoesOn) {
    const JobId id = enqueued(test_pictures(2));
    claimed({id, 0});
    kill({id, 1});
    ASSERT_EQ(state(id), JobState::kRunning);
    ASSERT_TRUE(retry(id));
    EXPECT_EQ(state(id), JobState::kRunning);
    EXPECT_EQ(state(TaskId{id, 1}), TaskState::kReady);
}

TEST_P(QueueConformance, RetryTakesAlongWhatWasCancelledBesides) {
    // 0 dies, 1 is cancelled by a person, 2 needs both.
    const JobId id = enqueued(test_plan({{}, {}, {0, 1}}));
    kill({id, 0});
    ASSERT_TRUE(cancel(id));
    ASSERT_TRUE(retry(id));
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kReady);
    EXPECT_EQ(state(TaskId{id, 1}), TaskState::kReady);
    EXPECT_EQ(state(TaskId{id, 2}), TaskState::kBlocked);
}

TEST_P(QueueConformance, RetryNeedsADeadTask) {
    EXPECT_THAT(retry({"nobody"}), FailsWith(ErrorKind::kNotFound));
    const JobId id = enqueued();
    EXPECT_THAT(retry(id), FailsWith(ErrorKind::kConflict));
    ASSERT_TRUE(cancel(id));
    EXPECT_THAT(retry(id), FailsWith(ErrorKind::kConflict));
    EXPECT_EQ(state(id), JobState::kCancelled);
}

TEST_P(QueueConformance, WhoWorkedInAFormerLifeIsOut) {
    const JobId id = enqueued();
    const Claim claim = claimed({id, 0});
    TaskFailure failure = own_failure();
    failure.retryable = false;
    ASSERT_TRUE(fail_task({id, 0}, claim.epoch, failure));
    ASSERT_TRUE(retry(id));
    EXPECT_THAT(complete({id, 0}, claim.epoch), FailsWith(ErrorKind::kConflict));
    restart();
    EXPECT_THAT(complete({id, 0}, claim.epoch), FailsWith(ErrorKind::kConflict));
}

TEST_P(QueueConformance, NothingIsBegunAfterTheDeadline) {
    JobPlan plan = test_pictures(2);
    plan.spec.deadline = clock_.wall() + std::chrono::seconds(10);
    const JobId id = enqueued(plan);
    const Claim running = claimed({id, 0});
    const auto next = queue().tick();
    ASSERT_TRUE(next);
    EXPECT_LE(*next, clock_.now() + std::chrono::seconds(10));
    clock_.advance(std::chrono::seconds(11));
    EXPECT_THAT(queue().claim({id, 1}, {"w1"}, kLease), FailsWith(ErrorKind::kConflict));
    tick();
    EXPECT_EQ(state(TaskId{id, 1}), TaskState::kDead);
    EXPECT_THAT(view(TaskId{id, 1}).failure->message, HasSubstr("deadline"));
    EXPECT_EQ(state(TaskId{id, 0}), TaskState::kRunning) << "what has begun goes on";
    ASSERT_TRUE(complete({id, 0}, running.epoch));
    EXPECT_EQ(state(id), JobState::kFailed);
    EXPECT_THAT(retry(id), FailsWith(ErrorKind::kConflict));
}

TEST_P(QueueConformance, ADeadlineInThePastEndsTheJobAtTheNextTick) {
    JobPlan plan = test_plan();
    plan.spec.deadline = clock_.wall() - std::chrono::seconds(10);
    const JobId id = enqueued(plan);
    tick();
    EXPECT_EQ(state(id), JobState::kFailed);
}

TEST_P(QueueConformance, CountsWhatLives) {
    const JobId id = enqueued(test_plan({{}, {}, {0, 1}}));
    enqueued(test_plan({{}}, "bob"));
    claimed({id, 0});
    const Claim failing = claimed({id, 1});
    ASSERT_TRUE(fail_task({id, 1}, failing.epoch, own_failure()));
    const QueueCounts alice = queue().counts("alice");
    EXPECT_EQ(alice.blocked, 1U);
    EXPECT_EQ(alice.ready, 0U);
    EXPECT_EQ(alice.delayed, 1U);
    EXPECT_EQ(alice.running, 1U);
    EXPECT_DOUBLE_EQ(alice.waiting_cost, 4.0);
    EXPECT_EQ(queue().counts("").ready, 1U);
    EXPECT_DOUBLE_EQ(queue().counts("").waiting_cost, 6.0);
    EXPECT_EQ(queue().counts("nobody").ready, 0U);
    ASSERT_TRUE(cancel(id));
    EXPECT_EQ(queue().counts("alice").running, 0U);
    EXPECT_EQ(queue().counts("alice").waiting_cost, 0.0);
}

TEST_P(QueueConformance, KnowsEveryObjectThatAJobRefersTo) {
    JobPlan plan = test_plan({{}, {0}, {}});
    plan.spec.init = test_hash(1);
    plan.spec.mask = test_hash(2);
    const JobId id = enqueued(plan);
    ASSERT_TRUE(complete({id, 0}, claimed({id, 0}).epoch, test_result(3)));
    const Claim claim = claimed({id, 1});
    ASSERT_TRUE(queue().checkpoint({id, 1}, claim.epoch, test_checkpoint(4)));
    const auto expected =
        testing::UnorderedElementsAre(test_hash(1), test_hash(2), test_hash(3), test_hash(1004));
    EXPECT_THAT(queue().referenced_objects().value(), expected);
    restart();
    EXPECT_THAT(queue().referenced_objects().value(), expected);
    ASSERT_TRUE(cancel(id));
    EXPECT_THAT(
        queue().referenced_objects().value(),
        testing::UnorderedElementsAre(test_hash(1), test_hash(2), test_hash(3))
    );
}

}  // namespace
}  // namespace tessera
