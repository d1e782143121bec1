#include "events/queue_events.h"

#include "events/events_test.h"
#include "job/planner.h"

#include <gmock/gmock.h>

#include <memory>

namespace tessera {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class QueueEventsTest : public ::testing::Test {
  protected:
    QueueEventsTest() : subscription_(bus_.subscribe({}, heard_.listener())) {
        JobSpec spec;
        spec.tenant = "ada";
        spec.count = 2;
        ResolvedJob resolved;
        resolved.passes = {{{512, 512}, 20, true}};
        resolved.size = {512, 512};
        plan_ = std::make_shared<const JobPlan>(plan_job(spec, resolved).value());
    }

    [[nodiscard]] QueueEvent event(QueueEvent::Kind kind, int task = 0) const {
        QueueEvent event;
        event.kind = kind;
        event.job = job_;
        event.tenant = "ada";
        event.task = {job_, task};
        event.unit = task;
        event.publishes = true;
        event.worker = WorkerId{"w1"};
        event.job_state = JobState::kRunning;
        return event;
    }
    void hear(QueueEvent::Kind kind, int task = 0) { events_.hear(event(kind, task)); }
    void hear_end(JobState state) {
        QueueEvent end = event(QueueEvent::Kind::kJobEnded);
        end.job_state = state;
        events_.hear(end);
    }
    void hear_progress(int task, int step) {
        QueueEvent progress = event(QueueEvent::Kind::kTaskProgress, task);
        progress.progress = {step, 20, "steps"};
        events_.hear(progress);
    }
    [[nodiscard]] Claim claim(int task) const {
        Claim claim;
        claim.task = {job_, task};
        claim.plan = plan_->tasks[static_cast<std::size_t>(task)];
        return claim;
    }

    const JobId job_{"j"};
    std::shared_ptr<const JobPlan> plan_;
    std::vector<TaskState> states_{2, TaskState::kReady};
    std::optional<QueuePlace> place_;
    EventBus bus_;
    Heard heard_;
    EventBus::Subscription subscription_;
    QueueEvents events_{
        bus_,
        Clock::system(),
        [this](const JobId& id) {
            JobView view;
            view.id = id;
            view.plan = plan_;
            for (const TaskState state : states_) {
                view.tasks.emplace_back();
                view.tasks.back().state = state;
            }
            return std::optional(view);
        },
        [this](const JobId&) { return place_; },
    };
};

TEST_F(QueueEventsTest, TellsAJobsWholeLife) {
    hear(QueueEvent::Kind::kJobQueued);
    hear(QueueEvent::Kind::kTaskReady);
    hear(QueueEvent::Kind::kTaskClaimed);
    hear(QueueEvent::Kind::kJobRunning);
    hear_progress(0, 10);
    hear(QueueEvent::Kind::kTaskDone, 0);
    hear(QueueEvent::Kind::kTaskDone, 1);
    hear_end(JobState::kDone);
    hear(QueueEvent::Kind::kJobDeleted);
    EXPECT_THAT(
        heard_.words(),
        ElementsAre(
            "j:0 queued",
            "j:0 progress",
            "j:0 started",
            "j:0 progress",
            "j:0 unit_done",
            "j:1 unit_done",
            "j:0 done",
            "j:0 deleted"
        )
    );
    EXPECT_EQ(heard_.events[3]->worker, WorkerId{"w1"});
    EXPECT_EQ(heard_.events[3]->progress.step, 10);
    EXPECT_NEAR(heard_.events[3]->unit_fraction, 0.475, 1e-9);
    EXPECT_NEAR(heard_.events[3]->job_fraction, 0.2375, 1e-9);
    EXPECT_EQ(heard_.events[6]->job_fraction, 1.0);
    for (const EventPtr& told : heard_.events) {
        EXPECT_EQ(told->tenant, "ada");
    }
}

TEST_F(QueueEventsTest, CountsWhatWasDoneBeforeThisLife) {
    states_[0] = TaskState::kDone;
    hear_progress(1, 0);
    EXPECT_NEAR(heard_.events[0]->job_fraction, 0.5, 1e-9);
}

TEST_F(QueueEventsTest, AFailedAttemptTakesBackItsPart) {
    hear_progress(0, 20);
    QueueEvent returned = event(QueueEvent::Kind::kTaskReturned);
    returned.failure = TaskFailure{FaultKind::kInfrastructure, true, "the worker is gone", ""};
    events_.hear(returned);
    EXPECT_EQ(heard_.words().back(), "j:0 retrying");
    EXPECT_EQ(heard_.events.back()->message, "the worker is gone");
    EXPECT_EQ(heard_.events.back()->job_fraction, 0.0);
}

TEST_F(QueueEventsTest, SaysWhyAJobFailed) {
    QueueEvent dead = event(QueueEvent::Kind::kTaskDead, 1);
    dead.failure = TaskFailure{FaultKind::kTask, false, "no such sampler", ""};
    events_.hear(dead);
    events_.hear(dead);
    hear_end(JobState::kFailed);
    EXPECT_THAT(heard_.words(), ElementsAre("j:1 unit_failed", "j:0 failed"));
    EXPECT_EQ(heard_.events[0]->message, "no such sampler");
    EXPECT_EQ(heard_.events[1]->message, "no such sampler");
}

TEST_F(QueueEventsTest, TellsOfACancelledJobOnce) {
    hear(QueueEvent::Kind::kTaskClaimed);
    hear(QueueEvent::Kind::kTaskCancelled);
    hear_end(JobState::kCancelled);
    EXPECT_THAT(heard_.words(), ElementsAre("j:0 progress", "j:0 cancelled"));
}

TEST_F(QueueEventsTest, PassesPreviewsOnWhileTheirUnitIsInTheMaking) {
    events_.preview(claim(0), {1, 20, "steps"}, "unheard of");
    hear(QueueEvent::Kind::kTaskClaimed);
    events_.preview(claim(0), {2, 20, "steps"}, "jpeg");
    EXPECT_EQ(heard_.words().back(), "j:0 preview");
    EXPECT_EQ(heard_.events.back()->jpeg, "jpeg");
    EXPECT_EQ(heard_.events.back()->tenant, "ada");
    hear(QueueEvent::Kind::kTaskDone);
    heard_.events.clear();
    events_.preview(claim(0), {20, 20, "steps"}, "late");
    hear_end(JobState::kDone);
    events_.preview(claim(0), {20, 20, "steps"}, "later");
    EXPECT_THAT(heard_.words(), ElementsAre("j:0 done"));
}

TEST_F(QueueEventsTest, TellsAWaitingJobItsPlaceWhenThatChanges) {
    place_ = QueuePlace{3, 10.0, 20.0};
    hear(QueueEvent::Kind::kJobQueued);
    EXPECT_EQ(heard_.events[0]->position, 3U);
    events_.tell_places(10);
    place_ = QueuePlace{1, 2.0, 12.0};
    events_.tell_places(0);
    EXPECT_EQ(heard_.events.size(), 1U);
    events_.tell_places(10);
    ASSERT_EQ(heard_.events.size(), 2U);
    EXPECT_EQ(heard_.events[1]->position, 1U);
    EXPECT_EQ(heard_.events[1]->seconds_to_finish, 12.0);
    place_ = QueuePlace{0, 0.0, 10.0};
    hear(QueueEvent::Kind::kJobRunning);
    events_.tell_places(10);
    EXPECT_THAT(heard_.words(), ElementsAre("j:0 queued", "j:0 queued", "j:0 started"));
}

TEST_F(QueueEventsTest, ARetriedUnitShowsPreviewsAgain) {
    hear(QueueEvent::Kind::kTaskDead);
    hear_end(JobState::kFailed);
    hear(QueueEvent::Kind::kJobQueued);
    hear(QueueEvent::Kind::kTaskClaimed);
    heard_.events.clear();
    events_.preview(claim(0), {1, 20, "steps"}, "jpeg");
    EXPECT_THAT(heard_.words(), ElementsAre("j:0 preview"));
}

}  // namespace
}  // namespace tessera
