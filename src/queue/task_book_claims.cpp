// What acts at once: claims and what their holders say while they work.
#include "queue/task_book.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace tessera {
namespace {

constexpr int kIncarnationShift = 32;

bool waits(const LiveTask& task) {
    const TaskState state = task.record.state;
    return !task.is_settling && !is_final(state) && state != TaskState::kRunning;
}

tl::unexpected<Error> stale(const TaskId& id, Epoch epoch) {
    return fail(
        ErrorKind::kConflict,
        "epoch {:#x} of task {} is worth nothing any more",
        epoch.value,
        to_string(id)
    );
}

}  // namespace

/// The epoch rule (docs/queue.md): the last claim speaks for the task. After a restart the last one
/// may be missing on disk, so a larger epoch of an older incarnation is taken for it until this
/// incarnation hands the task out itself.
bool TaskBook::is_honoured(const LiveTask& task, Epoch epoch) const {
    const Epoch last = task.record.epoch;
    if (epoch == last) {
        return epoch.incarnation() != 0 && task.record.attempt_end != AttemptEnd::kReported;
    }
    return epoch.incarnation() != 0 && epoch.incarnation() < incarnation_ &&
           last.incarnation() < incarnation_ && epoch > last;
}

/// Whether a holder of this epoch may change the task now.
Status TaskBook::check_speaker(const TaskId& id, const Found& found, Epoch epoch) const {
    if (!found || found.job->is_new) {
        return stale(id, epoch);
    }
    const TaskState state = found.task->record.state;
    if (is_final(state)) {
        return tessera::fail(
            ErrorKind::kConflict, "task {} is {}", to_string(id), to_string(state)
        );
    }
    if (state == TaskState::kBlocked || !is_honoured(*found.task, epoch)) {
        return stale(id, epoch);
    }
    return {};
}

Result<Epoch> TaskBook::next_epoch() {
    if (last_counter_ == std::numeric_limits<std::uint32_t>::max()) {
        return tessera::fail(
            ErrorKind::kExhausted, "no epochs are left; restart the server to begin with new ones"
        );
    }
    return Epoch{(std::uint64_t{incarnation_} << kIncarnationShift) | ++last_counter_};
}

/// Makes it running under that epoch, from wherever an honoured epoch may find it.
Status TaskBook::run(LiveJob& job, int index, Epoch epoch) {
    LiveTask& task = job.task(index);
    const TaskState before = task.record.state;
    if (before == TaskState::kDelayed) {
        TESSERA_TRY(move(job, index, TaskMove::kWake));
    }
    if (before != TaskState::kRunning) {
        if (auto moved = move(job, index, TaskMove::kClaim); !moved) {
            set_state(job, index, before);
            return moved;
        }
    }
    TaskRecord& record = task.record;
    if (record.epoch != epoch) {
        record.epoch = epoch;
        record.started = clock_.wall();
        ++record.attempts;
    }
    record.attempt_end = AttemptEnd::kOpen;
    record.pause_ends.reset();
    if (!job.started) {
        job.started = clock_.wall();
        job.state = JobState::kRunning;
        note_unwritten(job, kWholeJob);
        events_.push_back(event(QueueEvent::Kind::kJobRunning, job, kWholeJob));
    }
    return {};
}

Claim TaskBook::claim_of(const LiveJob& job, int index) const {
    const LiveTask& task = job.task(index);
    Claim claim;
    claim.task = {job.id, index};
    claim.epoch = task.record.epoch;
    claim.lease_ends = task.until;
    claim.attempt = task.record.attempts;
    claim.plan = job.task_plan(index);
    claim.unit = job.plan->units[static_cast<std::size_t>(claim.plan.unit)];
    claim.job = job.plan;
    for (const int need : claim.plan.needs) {
        if (const auto& result = job.task(need).result) {
            claim.inputs.push_back(*result);
        }
    }
    if (task.record.checkpoint) {
        claim.checkpoint = *task.record.checkpoint;
    }
    return claim;
}

Result<Claim> TaskBook::claim(const TaskId& id, const WorkerId& worker, Duration lease) {
    const Found found = find(id);
    if (!found || found.job->is_new || found.task->is_settling ||
        found.task->record.state != TaskState::kReady) {
        return tessera::fail(ErrorKind::kConflict, "task {} is not ready", to_string(id));
    }
    auto& [job, task] = found;
    if (is_late(*job)) {
        return tessera::fail(
            ErrorKind::kConflict, "the deadline of task {} has passed", to_string(id)
        );
    }
    TESSERA_ASSIGN(const Epoch epoch, next_epoch());
    TESSERA_TRY(run(*job, id.index, epoch));
    task->record.worker = worker;
    task->progress.reset();
    task->until = clock_.now() + lease;
    wait_for(*job, id.index);
    note_unwritten(*job, id.index);
    events_.push_back(event(QueueEvent::Kind::kTaskClaimed, *job, id.index));
    return claim_of(*job, id.index);
}

Result<Claim> TaskBook::readopt(
    const TaskId& id, Epoch epoch, const WorkerId& worker, Duration lease
) {
    const Found found = find(id);
    TESSERA_TRY(check_speaker(id, found, epoch));
    auto& [job, task] = found;
    if (task->is_settling) {
        return tessera::fail(ErrorKind::kConflict, "task {} is given up", to_string(id));
    }
    const bool was_running = task->record.state == TaskState::kRunning;
    TESSERA_TRY(run(*job, id.index, epoch));
    task->record.worker = worker;
    task->until = clock_.now() + lease;
    wait_for(*job, id.index);
    note_unwritten(*job, id.index);
    if (!was_running) {
        events_.push_back(event(QueueEvent::Kind::kTaskClaimed, *job, id.index));
    }
    return claim_of(*job, id.index);
}

RenewAnswer TaskBook::renew(const Renewal& renewal, Duration lease) {
    const Found found = find(renewal.task);
    const auto withdrawn = withdrawn_.find(renewal.task);
    if ((!found || is_final(found.task->record.state)) && withdrawn != withdrawn_.end() &&
        withdrawn->second.epoch == renewal.epoch) {
        return RenewAnswer::kCancelled;
    }
    if (!check_speaker(renewal.task, found, renewal.epoch)) {
        return RenewAnswer::kStale;
    }
    auto& [job, task] = found;
    const int index = renewal.task.index;
    if (task->is_settling) {
        return RenewAnswer::kGoOn;  // what comes of it, the next renewal will hear
    }
    const bool was_running = task->record.state == TaskState::kRunning;
    if (!was_running || task->record.epoch != renewal.epoch) {
        if (!run(*job, index, renewal.epoch)) {
            return RenewAnswer::kStale;
        }
        note_unwritten(*job, index);
        if (!was_running) {
            events_.push_back(event(QueueEvent::Kind::kTaskClaimed, *job, index));
        }
    }
    const Instant until = clock_.now() + lease;
    if (!was_running || until < task->until) {
        task->until = until;
        wait_for(*job, index);
    }
    task->until = until;  // the timer that is set will look again
    if (renewal.progress) {
        task->progress = std::make_shared<const TaskProgress>(*renewal.progress);
        events_.push_back(event(QueueEvent::Kind::kTaskProgress, *job, index));
    }
    return RenewAnswer::kGoOn;
}

Status TaskBook::checkpoint(const TaskId& id, Epoch epoch, TaskCheckpoint checkpoint) {
    const Found found = find(id);
    TESSERA_TRY(check_speaker(id, found, epoch));
    auto& [job, task] = found;
    if (task->is_settling) {
        return tessera::fail(
            ErrorKind::kUnavailable, "task {} is being settled; try again", to_string(id)
        );
    }
    if (task->record.epoch != epoch) {
        task->record.epoch = epoch;
        task->record.attempt_end = AttemptEnd::kOpen;
    }
    task->record.checkpoint = std::make_shared<const TaskCheckpoint>(std::move(checkpoint));
    note_unwritten(*job, id.index);
    return {};
}

bool TaskBook::wake() {
    const Instant now = clock_.now();
    while (!timers_.empty() && timers_.top().at <= now) {
        const auto [at, ref] = timers_.top();
        timers_.pop();
        LiveJob* const job = find_job(ref.first);
        if (job == nullptr || job->task(ref.second).is_settling) {
            continue;
        }
        LiveTask& task = job->task(ref.second);
        const bool runs = task.record.state == TaskState::kRunning;
        const bool rests = task.record.state == TaskState::kDelayed;
        if ((runs || rests) && task.until > now) {
            wait_for(*job, ref.second);
        } else if (runs) {
            overdue_.insert(ref);
        } else if (rests && move(*job, ref.second, TaskMove::kWake)) {
            task.record.pause_ends.reset();
            announce_ready(*job, ref.second);
        }
    }
    std::erase_if(withdrawn_, [&](const auto& entry) { return entry.second.until <= now; });
    return !overdue_.empty() || !late_jobs().empty();
}

/// Jobs whose deadline has passed and that have tasks which have not begun.
std::vector<JobNumber> TaskBook::late_jobs() const {
    std::vector<JobNumber> late;
    const WallTime wall = clock_.wall();
    for (const auto& [deadline, number] : deadlines_) {
        if (deadline > wall) {
            break;
        }
        const LiveJob* const job = numbers_.at(number);
        if (!job->is_new && std::ranges::any_of(job->tasks, waits)) {
            late.push_back(number);
        }
    }
    return late;
}

std::optional<Instant> TaskBook::next_moment() const {
    if (!late_jobs().empty()) {
        return clock_.now();
    }
    std::optional<Instant> next;
    if (!timers_.empty()) {
        next = timers_.top().at;
    }
    const WallTime wall = clock_.wall();
    const auto deadline = deadlines_.upper_bound({wall, std::numeric_limits<JobNumber>::max()});
    if (deadline != deadlines_.end()) {
        const Instant moment = clock_.now() + (deadline->first - wall);
        next = next ? std::min(*next, moment) : moment;
    }
    return next;
}

}  // namespace tessera
