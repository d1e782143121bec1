#include "queue/task_book.h"

#include <algorithm>
#include <tuple>

namespace tessera {

TaskBook::TaskBook(
    RetryPolicy policy, std::uint32_t incarnation, const Clock& clock, Entropy& entropy
)
    : policy_(policy), incarnation_(incarnation), clock_(clock), entropy_(entropy) {}

void TaskBook::load(JobRecord record, Duration grace) {
    const Instant now = clock_.now();
    insert(live_job(std::move(record), now, clock_.wall(), policy_.longest_pause, now + grace));
}

TaskBook::Found TaskBook::find(const TaskId& id) {
    LiveJob* const job = find_job(id.job);
    if (job == nullptr || id.index < 0 || id.index >= job->size()) {
        return {};
    }
    return {job, &job->task(id.index)};
}

LiveJob* TaskBook::find_job(const JobId& id) {
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? nullptr : &found->second;
}

LiveJob* TaskBook::find_job(JobNumber number) {
    const auto found = numbers_.find(number);
    return found == numbers_.end() ? nullptr : found->second;
}

LiveJob& TaskBook::insert(LiveJob added) {
    const JobId id = added.id;
    LiveJob& job = jobs_.emplace(id, std::move(added)).first->second;
    numbers_[job.number] = &job;
    last_number_ = std::max(last_number_, job.number);
    if (job.plan->spec.deadline) {
        deadlines_.emplace(*job.plan->spec.deadline, job.number);
    }
    for (int index = 0; index < job.size(); ++index) {
        count(job, index, job.task(index).record.state, 1);
        if (job.task(index).record.state == TaskState::kRunning) {
            running_.emplace(job.number, index);
        }
        wait_for(job, index);
    }
    return job;
}

void TaskBook::erase(LiveJob& job) {
    for (int index = 0; index < job.size(); ++index) {
        count(job, index, job.task(index).record.state, -1);
        running_.erase({job.number, index});
    }
    if (job.plan->spec.deadline) {
        deadlines_.erase({*job.plan->spec.deadline, job.number});
    }
    numbers_.erase(job.number);
    jobs_.erase(job.id);
}

void TaskBook::begin() {
    undo_.clear();
    changes_.clear();
}

void TaskBook::commit() {
    for (const Undo& entry : undo_) {
        LiveJob* const job = find_job(entry.ref.first);
        if (job == nullptr) {
            continue;
        }
        if (entry.kind == Undo::Kind::kTask) {
            job->task(entry.ref.second).is_settling = false;
            wait_for(*job, entry.ref.second);  // its moment may have passed meanwhile
        } else if (entry.kind == Undo::Kind::kJobAdded) {
            job->is_new = false;
        }
    }
    for (const Undo& entry : undo_) {
        if (entry.kind == Undo::Kind::kJobEnded) {
            if (LiveJob* const job = find_job(entry.ref.first)) {
                erase(*job);
            }
        }
    }
    undo_.clear();
}

void TaskBook::roll_back() {
    changes_.clear();
    events_.clear();
    std::set<TaskRef> restored;
    while (!undo_.empty()) {
        Undo entry = std::move(undo_.back());
        undo_.pop_back();
        restored.insert(entry.ref);
        undo(std::move(entry));
    }
    // Whoever tried to claim one of them meanwhile was told that it is not ready.
    for (const auto& [number, index] : restored) {
        const LiveJob* const job = find_job(number);
        if (job != nullptr && index != kWholeJob &&
            job->task(index).record.state == TaskState::kReady) {
            announce_ready(*job, index);
        }
    }
}

void TaskBook::undo(Undo entry) {
    const auto [number, index] = entry.ref;
    LiveJob* const job = find_job(number);
    if (job == nullptr) {
        return;
    }
    switch (entry.kind) {
        case Undo::Kind::kTask:
            set_state(*job, index, entry.task.record.state);
            job->task(index) = std::move(entry.task);
            wait_for(*job, index);
            if (job->task(index).is_unwritten) {
                unwritten_.emplace_back(number, index);
            }
            break;
        case Undo::Kind::kJobAdded:
            erase(*job);
            break;
        case Undo::Kind::kJobEnded:
            job->ended.reset();
            job->state = job->started ? JobState::kRunning : JobState::kQueued;
            note_unwritten(*job, kWholeJob);
            break;
    }
}

/// Either all of the change happens or nothing of it.
Status TaskBook::whole(const std::function<Status()>& change) {
    const std::size_t undo_mark = undo_.size();
    const std::size_t changes_mark = changes_.size();
    const std::size_t events_mark = events_.size();
    Status status = change();
    if (!status) {
        while (undo_.size() > undo_mark) {
            Undo entry = std::move(undo_.back());
            undo_.pop_back();
            undo(std::move(entry));
        }
        changes_.resize(changes_mark);
        events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(events_mark), events_.end());
    }
    return status;
}

/// Before a transaction changes a task.
void TaskBook::touch(LiveJob& job, int index) {
    LiveTask& task = job.task(index);
    undo_.push_back({Undo::Kind::kTask, {job.number, index}, task});
    task.is_settling = true;
}

Status TaskBook::move(LiveJob& job, int index, TaskMove move) {
    const TaskState from = job.task(index).record.state;
    const LegalMove* const legal = find_move(from, move);
    if (legal == nullptr) {
        return tessera::fail(
            ErrorKind::kInternal,
            "task {} is {}, from where '{}' leads nowhere",
            to_string(TaskId{job.id, index}),
            to_string(from),
            to_string(move)
        );
    }
    set_state(job, index, legal->to);
    return {};
}

void TaskBook::set_state(LiveJob& job, int index, TaskState state) {
    TaskRecord& record = job.task(index).record;
    count(job, index, record.state, -1);
    job.open_tasks += (is_final(state) ? 0 : 1) - (is_final(record.state) ? 0 : 1);
    if (state == TaskState::kRunning) {
        running_.emplace(job.number, index);
    } else if (record.state == TaskState::kRunning) {
        running_.erase({job.number, index});
    }
    record.state = state;
    count(job, index, state, 1);
}

void TaskBook::count(const LiveJob& job, int index, TaskState state, int sign) {
    const auto add = [&](QueueCounts& counts) {
        const auto step = static_cast<std::size_t>(sign);  // unsigned arithmetic wraps as wanted
        switch (state) {
            case TaskState::kBlocked:
                counts.blocked += step;
                break;
            case TaskState::kReady:
                counts.ready += step;
                break;
            case TaskState::kDelayed:
                counts.delayed += step;
                break;
            case TaskState::kRunning:
                counts.running += step;
                return;
            case TaskState::kDone:
            case TaskState::kDead:
            case TaskState::kCancelled:
                return;
        }
        counts.waiting_cost += sign * job.task_plan(index).cost;
        if (counts.blocked + counts.ready + counts.delayed == 0) {
            counts.waiting_cost = 0.0;  // sums of rounded numbers do not come back to nothing
        }
    };
    add(total_);
    const std::string& tenant = job.plan->spec.tenant;
    QueueCounts& counts = by_tenant_[tenant];
    add(counts);
    if (counts.blocked + counts.ready + counts.delayed + counts.running == 0) {
        by_tenant_.erase(tenant);
    }
}

/// Sets the timer that its state asks for.
void TaskBook::wait_for(LiveJob& job, int index) {
    const LiveTask& task = job.task(index);
    if (task.record.state == TaskState::kRunning || task.record.state == TaskState::kDelayed) {
        timers_.push({task.until, {job.number, index}});
    }
}

void TaskBook::note_unwritten(LiveJob& job, int index) {
    bool& flag = index == kWholeJob ? job.is_unwritten : job.task(index).is_unwritten;
    if (!std::exchange(flag, true)) {
        unwritten_.emplace_back(job.number, index);
    }
}

/// The task's record, to go among the changes.
TaskChanged TaskBook::written(LiveJob& job, int index) {
    LiveTask& task = job.task(index);
    task.is_unwritten = false;
    return {job.number, index, task.record};
}

std::vector<Change> TaskBook::take_unwritten() {
    std::vector<Change> changes;
    for (const auto& [number, index] : std::exchange(unwritten_, {})) {
        LiveJob* const job = find_job(number);
        if (job == nullptr) {
            continue;
        }
        if (index == kWholeJob) {
            if (std::exchange(job->is_unwritten, false) && !job->ended) {
                changes.emplace_back(JobChanged{number, job->state, job->started, job->ended});
            }
        } else if (job->task(index).is_unwritten) {
            changes.emplace_back(written(*job, index));
        }
    }
    return changes;
}

void TaskBook::put_back(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
        if (const auto* const task = std::get_if<TaskChanged>(&change)) {
            if (LiveJob* const job = find_job(task->job)) {
                note_unwritten(*job, task->task);
            }
        } else if (const auto* const changed = std::get_if<JobChanged>(&change)) {
            if (LiveJob* const job = find_job(changed->number)) {
                note_unwritten(*job, kWholeJob);
            }
        }
    }
}

}  // namespace tessera
