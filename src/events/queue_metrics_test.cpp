#include "events/queue_metrics.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>

namespace tessera {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = QueueEvent::Kind;

class HandClock final : public Clock {
  public:
    [[nodiscard]] Instant now() const override { return now_; }
    [[nodiscard]] WallTime wall() const override { return wall_; }
    void pass(std::chrono::milliseconds time) {
        now_ += time;
        wall_ += time;
    }

  private:
    Instant now_{std::chrono::hours(1)};
    WallTime wall_{std::chrono::hours(1'000'000)};
};

class QueueMetricsTest : public testing::Test {
  protected:
    QueueEvent event(Kind kind, const std::string& job, int task = 0) const {
        QueueEvent event;
        event.kind = kind;
        event.job = {job};
        event.tenant = "ada";
        event.task = {{job}, task};
        return event;
    }
    void hear(Kind kind, const std::string& job, int task = 0) {
        queue_metrics_.hear(event(kind, job, task));
    }
    void ready(const std::string& job, Priority priority = Priority::kNormal) {
        QueueEvent ready = event(Kind::kTaskReady, job);
        ready.ready.emplace();
        ready.ready->affinity = "demo 0123456789ab";
        ready.ready->priority = priority;
        ready.ready->cost = 2.5;
        queue_metrics_.hear(ready);
    }
    void returned(const std::string& job, FaultKind fault, bool lease_ran_out = false) {
        QueueEvent returned = event(Kind::kTaskReturned, job);
        returned.failure.emplace();
        returned.failure->fault = fault;
        returned.lease_ran_out = lease_ran_out;
        queue_metrics_.hear(returned);
    }
    void ended(const std::string& job, JobState state) {
        QueueEvent ended = event(Kind::kJobEnded, job);
        ended.job_state = state;
        queue_metrics_.hear(ended);
    }
    std::string text() const { return "\n" + metrics_.text(); }

    HandClock clock_;
    Metrics metrics_;
    QueueMetrics queue_metrics_{metrics_, clock_, {}};
};

TEST_F(QueueMetricsTest, JobsAddUp) {
    for (const char* job : {"a", "b", "c", "d"}) {
        hear(Kind::kJobQueued, job);
        ready(job);
    }
    ended("a", JobState::kDone);
    ended("b", JobState::kFailed);
    ended("c", JobState::kCancelled);
    EXPECT_THAT(text(), HasSubstr("\ntessera_jobs_submitted_total 4\n"));
    EXPECT_THAT(text(), HasSubstr("\ntessera_jobs_in_flight 1\n"));
    for (const char* state : {"done", "failed", "cancelled"}) {
        EXPECT_THAT(
            text(), HasSubstr(fmt::format("\ntessera_jobs_ended_total{{state=\"{}\"}} 1\n", state))
        );
    }
}

TEST_F(QueueMetricsTest, BeginsWithWhatARestartFound) {
    JobView found;
    found.id = {"old"};
    found.submitted = clock_.wall() - std::chrono::seconds(50);
    found.plan = std::make_shared<JobPlan>();
    Metrics metrics;
    QueueMetrics later(metrics, clock_, {found});
    later.hear(event(Kind::kJobRunning, "old"));
    EXPECT_THAT(metrics.text(), HasSubstr("\ntessera_jobs_submitted_total 1\n"));
    QueueEvent end = event(Kind::kJobEnded, "old");
    end.job_state = JobState::kDone;
    later.hear(end);
    EXPECT_THAT(metrics.text(), HasSubstr("\ntessera_jobs_in_flight 0\n"));
    EXPECT_THAT(metrics.text(), HasSubstr("tessera_job_seconds_sum{class=\"normal\"} 50\n"));
}

TEST_F(QueueMetricsTest, MeasuresWaitsAndAttempts) {
    hear(Kind::kJobQueued, "a");
    ready("a", Priority::kInteractive);
    clock_.pass(std::chrono::milliseconds(1500));
    hear(Kind::kTaskClaimed, "a");
    clock_.pass(std::chrono::milliseconds(2500));
    QueueEvent done = event(Kind::kTaskDone, "a");
    done.publishes = true;
    done.result.emplace();
    done.result->times = {{"steps", 2.0}, {"made up", 0.25}};
    queue_metrics_.hear(done);
    ended("a", JobState::kDone);
    EXPECT_THAT(text(), HasSubstr("tessera_task_wait_seconds_sum{class=\"interactive\"} 1.5\n"));
    EXPECT_THAT(
        text(), HasSubstr("tessera_task_run_seconds_sum{kind=\"render\",model=\"demo\"} 2.5\n")
    );
    EXPECT_THAT(text(), HasSubstr("tessera_job_seconds_sum{class=\"interactive\"} 4\n"));
    EXPECT_THAT(text(), HasSubstr("tessera_pictures_total{tenant=\"ada\"} 1\n"));
    EXPECT_THAT(text(), HasSubstr("tessera_work_megapixel_steps_total{tenant=\"ada\"} 2.5\n"));
    EXPECT_THAT(text(), HasSubstr("tessera_stage_seconds_sum{stage=\"denoise\"} 2\n"));
    EXPECT_THAT(text(), HasSubstr("tessera_stage_seconds_sum{stage=\"other\"} 0.25\n"));
    EXPECT_THAT(
        text(), HasSubstr("tessera_task_attempts_total{kind=\"render\",outcome=\"done\"} 1\n")
    );
}

TEST_F(QueueMetricsTest, TellsFailuresFromLosses) {
    ready("a");
    hear(Kind::kTaskClaimed, "a");
    returned("a", FaultKind::kTask);
    ready("a");
    hear(Kind::kTaskClaimed, "a");
    returned("a", FaultKind::kInfrastructure, true);
    EXPECT_THAT(text(), HasSubstr("tessera_task_retries_total{reason=\"failed\"} 1\n"));
    EXPECT_THAT(text(), HasSubstr("tessera_task_retries_total{reason=\"lost\"} 1\n"));
    EXPECT_THAT(text(), HasSubstr("\ntessera_lease_expiries_total 1\n"));
    EXPECT_THAT(
        text(), HasSubstr("tessera_task_attempts_total{kind=\"render\",outcome=\"failed\"} 1\n")
    );
}

TEST_F(QueueMetricsTest, ATaskThatNeverBeganIsNoAttempt) {
    ready("a");
    hear(Kind::kTaskCancelled, "a");
    EXPECT_THAT(text(), Not(HasSubstr("tessera_task_attempts_total{")));
}

TEST_F(QueueMetricsTest, ThousandsOfTenantsAreAFewSeries) {
    for (int i = 0; i < 10'000; ++i) {
        QueueEvent done = event(Kind::kTaskDone, "a");
        done.tenant = fmt::format("tenant {}", i);
        done.publishes = true;
        queue_metrics_.hear(done);
    }
    const std::string all = text();
    std::size_t lines = 0;
    for (auto at = all.find("\ntessera_pictures_total{"); at != std::string::npos;
         at = all.find("\ntessera_pictures_total{", at + 1)) {
        ++lines;
    }
    EXPECT_EQ(lines, 50U);
    EXPECT_THAT(all, HasSubstr("\ntessera_pictures_total{tenant=\"other\"} 9951\n"));
}

}  // namespace
}  // namespace tessera
