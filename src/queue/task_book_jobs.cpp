// What is done to whole jobs.
#include "queue/task_book.h"

#include <algorithm>
#include <utility>

namespace tessera {

Status TaskBook::enqueue(JobRecord record) {
    if (jobs_.contains(record.id)) {
        return tessera::fail(ErrorKind::kConflict, "job {} is there already", record.id.value);
    }
    LiveJob& job =
        insert(live_job(std::move(record), clock_.now(), clock_.wall(), policy_.longest_pause, {}));
    job.is_new = true;
    undo_.push_back({Undo::Kind::kJobAdded, {job.number, kWholeJob}, {}});
    announce_queued(job, false);
    for (int index = 0; index < job.size(); ++index) {
        if (job.task(index).record.state == TaskState::kReady) {
            announce_ready(job, index);
        }
    }
    return {};
}

Status TaskBook::cancel(const JobId& id) {
    LiveJob* const job = find_job(id);
    if (job == nullptr) {
        return tessera::fail(ErrorKind::kNotFound, "no job {}", id.value);
    }
    if (job->ended) {
        if (job->state == JobState::kCancelled) {
            return {};
        }
        return tessera::fail(
            ErrorKind::kConflict, "job {} has ended: {}", id.value, to_string(job->state)
        );
    }
    return whole([&]() -> Status {
        for (int index = 0; index < job->size(); ++index) {
            LiveTask& task = job->task(index);
            if (is_final(task.record.state)) {
                continue;
            }
            touch(*job, index);
            if (task.record.state == TaskState::kRunning) {
                withdrawn_[{id, index}] = {task.record.epoch, task.until};
            }
            TESSERA_TRY(move(*job, index, TaskMove::kCancel));
            task.record.ended = clock_.wall();
            task.record.pause_ends.reset();
            task.record.checkpoint.reset();
            task.progress.reset();
            events_.push_back(event(QueueEvent::Kind::kTaskCancelled, *job, index));
            changes_.emplace_back(written(*job, index));
        }
        end_if_over(*job);
        return {};
    });
}

Status TaskBook::retry(const JobId& id) {
    LiveJob* const job = find_job(id);
    if (job == nullptr) {
        return tessera::fail(ErrorKind::kNotFound, "no job {}", id.value);
    }
    return whole([&] { return revive(*job); });
}

Status TaskBook::retry(JobRecord record) {
    return whole([&]() -> Status {
        LiveJob& job = insert(
            live_job(std::move(record), clock_.now(), clock_.wall(), policy_.longest_pause, {})
        );
        job.is_new = true;
        undo_.push_back({Undo::Kind::kJobAdded, {job.number, kWholeJob}, {}});
        job.state = JobState::kQueued;
        job.started.reset();
        job.ended.reset();
        changes_.emplace_back(JobChanged{job.number, job.state, job.started, job.ended});
        announce_queued(job, true);
        return revive(job);
    });
}

/// Dead tasks, cancelled ones that need them, and cancelled ones that all these need.
Status TaskBook::revive(LiveJob& job) {
    const auto is_in = [&](int index, TaskState state) {
        return job.task(index).record.state == state;
    };
    std::vector<bool> wanted(job.tasks.size());
    const auto is_wanted = [&](int index) { return wanted[static_cast<std::size_t>(index)]; };
    for (int index = 0; index < job.size(); ++index) {
        wanted[static_cast<std::size_t>(index)] =
            is_in(index, TaskState::kDead) ||
            (is_in(index, TaskState::kCancelled) &&
             std::ranges::any_of(job.task_plan(index).needs, is_wanted));
    }
    if (!std::ranges::count(wanted, true)) {
        return tessera::fail(ErrorKind::kConflict, "no task of job {} is dead", job.id.value);
    }
    if (is_late(job)) {
        return tessera::fail(
            ErrorKind::kConflict,
            "the deadline of job {} has passed; submit it again without one",
            job.id.value
        );
    }
    for (int index = job.size(); index-- > 0;) {
        for (const int need : is_wanted(index) ? job.task_plan(index).needs : std::vector<int>()) {
            if (is_in(need, TaskState::kCancelled)) {
                wanted[static_cast<std::size_t>(need)] = true;
            }
        }
    }
    for (int index = 0; index < job.size(); ++index) {
        if (!is_wanted(index)) {
            continue;
        }
        touch(job, index);
        LiveTask& task = job.task(index);
        TESSERA_TRY(move(job, index, task.unmet == 0 ? TaskMove::kRevive : TaskMove::kReblock));
        TaskRecord& record = task.record;
        // Whoever worked on it in its former life is out.
        TESSERA_ASSIGN(record.epoch, next_epoch());
        record.attempt_end = AttemptEnd::kOpen;
        record.own_failures = 0;
        record.infrastructure_losses = 0;
        record.failed_on.clear();
        record.ended.reset();
        if (record.state == TaskState::kReady) {
            announce_ready(job, index);
        }
        changes_.emplace_back(written(job, index));
    }
    return {};
}

void TaskBook::note_removed(const JobId& id, const std::string& tenant) {
    QueueEvent removed;
    removed.kind = QueueEvent::Kind::kJobDeleted;
    removed.job = id;
    removed.tenant = tenant;
    events_.push_back(std::move(removed));
}

}  // namespace tessera
