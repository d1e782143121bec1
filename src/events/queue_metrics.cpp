#include "events/queue_metrics.h"

#include "events/labels.h"
#include "telemetry/farm_metrics.h"

#include <string_view>
#include <utility>

namespace tessera {
namespace {

constexpr int kJobsAtOnce = 200;
constexpr std::array kAllPriorities{Priority::kBatch, Priority::kNormal, Priority::kInteractive};

}  // namespace

QueueMetrics::QueueMetrics(
    Metrics& metrics, const Clock& clock, const std::vector<JobView>& unfinished
)
    : metrics_(metrics),
      clock_(clock),
      dead_(metrics.counter(metric::kDeadTasks)),
      expiries_(metrics.counter(metric::kLeaseExpiries)) {
    for (const Priority priority : kAllPriorities) {
        waits_.push_back(metrics.histogram(metric::kWait, {to_string(priority)}));
        lasted_.push_back(metrics.histogram(metric::kJobSeconds, {to_string(priority)}));
    }
    for (const JobView& view : unfinished) {
        Job& job = jobs_[view.id];
        job.submitted = clock.now() - (clock.wall() - view.submitted);
        job.priority = view.plan->spec.priority;
    }
    submitted_ = jobs_.size();
    collected_ = metrics.collect([this](MetricWriter& writer) { write(writer); });
}

QueueMetrics::~QueueMetrics() = default;

void QueueMetrics::write(MetricWriter& writer) const {
    const std::lock_guard lock(mutex_);
    writer.write(metric::kJobsSubmitted, {}, static_cast<double>(submitted_));
    writer.write(metric::kJobsInFlight, {}, static_cast<double>(jobs_.size()));
    for (const JobState state : {JobState::kDone, JobState::kFailed, JobState::kCancelled}) {
        const auto count = ended_.at(static_cast<std::size_t>(state));
        writer.write(metric::kJobsEnded, {to_string(state)}, static_cast<double>(count));
    }
}

QueueMetrics::Job& QueueMetrics::job_of(const QueueEvent& event) {
    const auto [job, is_new] = jobs_.try_emplace(event.job);
    if (is_new) {
        ++submitted_;
        job->second.submitted = clock_.now();
    }
    return job->second;
}

void QueueMetrics::hear(const QueueEvent& event) {
    const std::lock_guard lock(mutex_);
    switch (event.kind) {
        case QueueEvent::Kind::kJobQueued:
        case QueueEvent::Kind::kJobRunning:
            (void)job_of(event);
            break;
        case QueueEvent::Kind::kTaskReady: {
            Job& job = job_of(event);
            job.priority = event.ready->priority;
            job.tasks.insert_or_assign(event.task.index, Task{*event.ready, clock_.now(), {}});
            break;
        }
        case QueueEvent::Kind::kTaskClaimed:
            hear_claim(event);
            break;
        case QueueEvent::Kind::kTaskDone:
            hear_attempt_end(event, "done");
            hear_result(event);
            break;
        case QueueEvent::Kind::kTaskReturned: {
            const bool is_own = event.failure && event.failure->fault == FaultKind::kTask;
            hear_attempt_end(event, is_own ? "failed" : "lost");
            metrics_.counter(metric::kRetries, {is_own ? "failed" : "lost"}).add();
            break;
        }
        case QueueEvent::Kind::kTaskDead: {
            const bool is_own = event.failure && event.failure->fault == FaultKind::kTask;
            hear_attempt_end(event, is_own ? "failed" : "lost");
            dead_.add();
            break;
        }
        case QueueEvent::Kind::kTaskCancelled:
            hear_attempt_end(event, "cancelled");
            break;
        case QueueEvent::Kind::kJobEnded:
            hear_job_end(event);
            break;
        case QueueEvent::Kind::kTaskProgress:
        case QueueEvent::Kind::kJobDeleted:
            break;
    }
    if (event.lease_ran_out) {
        expiries_.add();
    }
}

void QueueMetrics::hear_claim(const QueueEvent& event) {
    Job& job = job_of(event);
    const auto task = job.tasks.find(event.task.index);
    if (task == job.tasks.end() || task->second.claimed) {
        return;  // a worker came back to what it held
    }
    const Instant now = clock_.now();
    task->second.claimed = now;
    const auto priority = static_cast<std::size_t>(job.priority);
    waits_.at(priority).observe(seconds_of(now - task->second.ready));
}

void QueueMetrics::hear_attempt_end(const QueueEvent& event, const char* outcome) {
    const auto job = jobs_.find(event.job);
    if (job == jobs_.end()) {
        return;
    }
    const auto found = job->second.tasks.find(event.task.index);
    if (found == job->second.tasks.end()) {
        return;
    }
    const Task task = std::move(found->second);
    job->second.tasks.erase(found);
    if (!task.claimed) {
        return;
    }
    const ReadyTask& facts = task.facts;
    metrics_.counter(metric::kAttempts, {to_string(facts.kind), outcome}).add();
    if (event.kind == QueueEvent::Kind::kTaskDone) {
        metrics_.histogram(metric::kRun, {to_string(facts.kind), model_label(facts.affinity)})
            .observe(seconds_of(clock_.now() - *task.claimed));
        metrics_.counter(metric::kWorkDone, {event.tenant}).add(facts.cost);
    }
}

void QueueMetrics::hear_result(const QueueEvent& event) {
    if (event.publishes) {
        metrics_.counter(metric::kPictures, {event.tenant}).add();
    }
    if (!event.result) {
        return;
    }
    for (const StageTime& time : event.result->times) {
        if (time.seconds >= 0.0) {
            metrics_.histogram(metric::kStage, {stage_label(time.stage)}).observe(time.seconds);
        }
    }
}

void QueueMetrics::hear_job_end(const QueueEvent& event) {
    const Job& job = job_of(event);
    ++ended_.at(static_cast<std::size_t>(event.job_state));
    if (event.job_state == JobState::kDone) {
        lasted_.at(static_cast<std::size_t>(job.priority))
            .observe(seconds_of(clock_.now() - job.submitted));
    }
    jobs_.erase(event.job);
}

Result<std::vector<JobView>> unfinished_jobs(const TaskQueue& queue) {
    std::vector<JobView> unfinished;
    for (const JobState state : {JobState::kQueued, JobState::kRunning}) {
        JobFilter filter;
        filter.state = state;
        filter.limit = kJobsAtOnce;
        while (true) {
            TESSERA_ASSIGN(auto page, queue.jobs(filter));
            const bool is_last = static_cast<int>(page.size()) < filter.limit;
            for (JobView& job : page) {
                filter.before = job.id;
                std::erase_if(job.tasks, [](const TaskView& task) {
                    return task.state != TaskState::kRunning && task.state != TaskState::kDelayed;
                });
                unfinished.push_back(std::move(job));
            }
            if (is_last) {
                break;
            }
        }
    }
    return unfinished;
}

}  // namespace tessera
