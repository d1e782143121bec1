// How attempts end: done, failed, lost, too late.
#include "job/fitted_text.h"
#include "job/shape.h"
#include "queue/retry_pause.h"
#include "queue/task_book.h"

#include <algorithm>
#include <utility>

namespace tessera {
namespace {

constexpr std::size_t kKeptLogBytes = 16U << 10U;

void fit(TaskFailure& failure) {
    failure.message = text_beginning(failure.message, kMaxMessageBytes);
    failure.log = text_end(failure.log, kKeptLogBytes);
}

}  // namespace

bool TaskBook::is_late(const LiveJob& job) const {
    const auto& deadline = job.plan->spec.deadline;
    return deadline && *deadline <= clock_.wall();
}

Status TaskBook::complete(const TaskId& id, Epoch epoch, TaskResult result) {
    const Found found = find(id);
    if (found && found.task->record.state == TaskState::kDone &&
        found.task->record.epoch == epoch && found.task->object == result.object.sha256) {
        return {};
    }
    TESSERA_TRY(check_speaker(id, found, epoch));
    LiveJob& job = *found.job;
    LiveTask& task = *found.task;
    const int index = id.index;
    return whole([&]() -> Status {
        touch(job, index);
        TESSERA_TRY(run(job, index, epoch));
        TESSERA_TRY(move(job, index, TaskMove::kComplete));
        task.record.ended = clock_.wall();
        task.record.checkpoint.reset();
        task.progress.reset();
        task.object = result.object.sha256;
        auto kept = std::make_shared<const TaskResult>(std::move(result));
        if (job.is_needed(index)) {
            task.result = kept;
        }
        auto done = event(QueueEvent::Kind::kTaskDone, job, index);
        done.result = *kept;
        events_.push_back(std::move(done));
        changes_.emplace_back(written(job, index));
        changes_.emplace_back(ResultAdded{job.number, index, std::move(kept)});
        TESSERA_TRY(unblock(job, index));
        end_if_over(job);
        return {};
    });
}

Status TaskBook::unblock(LiveJob& job, int done) {
    if (!job.is_needed(done)) {
        return {};
    }
    for (const int index : job.needed_by[static_cast<std::size_t>(done)]) {
        touch(job, index);
        LiveTask& task = job.task(index);
        if (--task.unmet == 0 && task.record.state == TaskState::kBlocked) {
            TESSERA_TRY(move(job, index, TaskMove::kUnblock));
            announce_ready(job, index);
        }
    }
    return {};
}

Status TaskBook::fail(const TaskId& id, Epoch epoch, TaskFailure failure) {
    const Found found = find(id);
    if (found && found.task->record.epoch == epoch &&
        found.task->record.attempt_end == AttemptEnd::kReported) {
        return {};  // said before
    }
    TESSERA_TRY(check_speaker(id, found, epoch));
    LiveJob& job = *found.job;
    fit(failure);
    return whole([&]() -> Status {
        touch(job, id.index);
        if (found.task->record.attempt_end == AttemptEnd::kLost &&
            found.task->record.epoch == epoch && failure.fault == FaultKind::kInfrastructure) {
            found.task->record.attempt_end = AttemptEnd::kReported;  // it was counted as lost
            changes_.emplace_back(written(job, id.index));
            return {};
        }
        TESSERA_TRY(run(job, id.index, epoch));
        return return_task(job, id.index, std::move(failure), AttemptEnd::kReported);
    });
}

/// A running task whose attempt ended without a result: again later, or dead.
Status TaskBook::return_task(LiveJob& job, int index, TaskFailure failure, AttemptEnd attempt_end) {
    LiveTask& task = job.task(index);
    TaskRecord& record = task.record;
    const bool is_own = failure.fault == FaultKind::kTask;
    if (is_own) {
        ++record.own_failures;
        if (!record.worker.value.empty() && !std::ranges::count(record.failed_on, record.worker)) {
            record.failed_on.push_back(record.worker);
        }
    } else {
        ++record.infrastructure_losses;
    }
    record.attempt_end = attempt_end;
    task.progress.reset();
    if (is_own && record.own_failures == policy_.own_failures - 1) {
        record.checkpoint.reset();  // the last attempt begins anew, should this be what kills it
    }
    note_failure(job, index, failure);
    if (!failure.retryable || record.own_failures >= policy_.own_failures ||
        record.infrastructure_losses >= policy_.infrastructure_losses || is_late(job)) {
        TESSERA_TRY(kill(job, index, failure));
        end_if_over(job);
        return {};
    }
    const Duration pause = is_own
                               ? pause_after_failure(policy_, record.own_failures, entropy_)
                               : pause_after_loss(policy_, record.infrastructure_losses, entropy_);
    TESSERA_TRY(move(job, index, pause > Duration::zero() ? TaskMove::kDelay : TaskMove::kReturn));
    if (record.state == TaskState::kDelayed) {
        task.until = clock_.now() + pause;
        record.pause_ends = clock_.wall() + std::chrono::ceil<std::chrono::milliseconds>(pause);
        wait_for(job, index);
    }
    auto returned = event(QueueEvent::Kind::kTaskReturned, job, index);
    returned.failure = std::move(failure);
    events_.push_back(std::move(returned));
    if (record.state == TaskState::kReady) {
        announce_ready(job, index);
    }
    changes_.emplace_back(written(job, index));
    return {};
}

void TaskBook::note_failure(LiveJob& job, int index, const TaskFailure& failure) {
    const TaskRecord& record = job.task(index).record;
    changes_.emplace_back(FailureAdded{
        job.number, index, {record.attempts, record.epoch, record.worker, clock_.wall(), failure}});
}

/// It and all that need it, down to the last.
Status TaskBook::kill(LiveJob& job, int index, const TaskFailure& failure) {
    std::vector<int> dying{index};
    while (!dying.empty()) {
        const int next = dying.back();
        dying.pop_back();
        if (is_final(job.task(next).record.state)) {
            continue;
        }
        touch(job, next);
        TESSERA_TRY(move(job, next, TaskMove::kKill));
        job.task(next).record.ended = clock_.wall();
        job.task(next).record.pause_ends.reset();
        job.task(next).record.checkpoint.reset();
        auto dead = event(QueueEvent::Kind::kTaskDead, job, next);
        if (next == index) {
            dead.failure = failure;
        } else {
            dead.failure = TaskFailure{
                FaultKind::kTask,
                false,
                fmt::format("it needs the result of task {}, which failed for good", index),
                {}};
            note_failure(job, next, *dead.failure);
        }
        events_.push_back(std::move(dead));
        changes_.emplace_back(written(job, next));
        if (job.is_needed(next)) {
            const auto& dependents = job.needed_by[static_cast<std::size_t>(next)];
            dying.insert(dying.end(), dependents.rbegin(), dependents.rend());
        }
    }
    return {};
}

Status TaskBook::lose(LiveJob& job, int index, std::string message, bool lease_ran_out) {
    return whole([&]() -> Status {
        touch(job, index);
        const std::size_t told = events_.size();
        TESSERA_TRY(return_task(
            job,
            index,
            {FaultKind::kInfrastructure, true, std::move(message), {}},
            AttemptEnd::kLost
        ));
        // The first that is told is what became of this task.
        events_[told].lease_ran_out = lease_ran_out;
        return {};
    });
}

Status TaskBook::lose_worker(const WorkerId& worker, const std::string& reason) {
    std::vector<TaskRef> held;
    for (const TaskRef& ref : running_) {
        const LiveJob* const job = find_job(ref.first);
        if (job != nullptr && job->task(ref.second).record.worker == worker) {
            held.push_back(ref);
        }
    }
    for (const auto& [number, index] : held) {
        TESSERA_TRY(
            lose(*find_job(number), index, fmt::format("worker {}: {}", worker.value, reason))
        );
    }
    return {};
}

Status TaskBook::expire() {
    const Instant now = clock_.now();
    for (const auto& [number, index] : std::exchange(overdue_, {})) {
        LiveJob* const job = find_job(number);
        if (job == nullptr || job->task(index).record.state != TaskState::kRunning) {
            continue;
        }
        const LiveTask& task = job->task(index);
        if (task.until > now) {
            wait_for(*job, index);
            continue;
        }
        TESSERA_TRY(lose(
            *job,
            index,
            fmt::format("worker {} was not heard of within its lease", task.record.worker.value),
            true
        ));
    }
    for (const JobNumber number : late_jobs()) {
        LiveJob& job = *find_job(number);
        TESSERA_TRY(whole([&] { return give_up(job); }));
    }
    return {};
}

/// What has not begun will not be begun any more.
Status TaskBook::give_up(LiveJob& job) {
    const TaskFailure failure{
        FaultKind::kTask, false, "the deadline passed before it was begun", {}};
    for (int index = 0; index < job.size(); ++index) {
        const TaskState state = job.task(index).record.state;
        if (!is_final(state) && state != TaskState::kRunning) {
            note_failure(job, index, failure);
            TESSERA_TRY(kill(job, index, failure));
        }
    }
    end_if_over(job);
    return {};
}

void TaskBook::end_if_over(LiveJob& job) {
    if (job.open_tasks > 0 || job.ended) {
        return;
    }
    undo_.push_back({Undo::Kind::kJobEnded, {job.number, kWholeJob}, {}});
    job.ended = clock_.wall();
    job.state = final_state(job);
    changes_.emplace_back(JobChanged{job.number, job.state, job.started, job.ended});
    events_.push_back(event(QueueEvent::Kind::kJobEnded, job, kWholeJob));
}

}  // namespace tessera
