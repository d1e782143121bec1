#include "queue/live_job.h"

#include <algorithm>

namespace tessera {
namespace {

std::vector<std::vector<int>> needed_by(const JobPlan& plan) {
    std::vector<std::vector<int>> result;
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        for (const int need : plan.tasks[i].needs) {
            result.resize(plan.tasks.size());
            result[static_cast<std::size_t>(need)].push_back(static_cast<int>(i));
        }
    }
    return result;
}

int count_unmet(const LiveJob& job, int index) {
    return static_cast<int>(std::ranges::count_if(job.task_plan(index).needs, [&](int need) {
        return job.task(need).record.state != TaskState::kDone;
    }));
}

TaskView task_view(const LiveJob& job, int index) {
    const LiveTask& task = job.task(index);
    const TaskRecord& record = task.record;
    TaskView view;
    view.id = {job.id, index};
    view.plan = job.task_plan(index);
    view.state = record.state;
    view.worker = record.worker;
    if (task.progress) {
        view.progress = *task.progress;
    }
    view.own_failures = record.own_failures;
    view.infrastructure_losses = record.infrastructure_losses;
    view.started = record.started;
    view.ended = record.ended;
    return view;
}

}  // namespace

LiveJob live_job(
    JobRecord record, Instant now, WallTime wall, Duration longest_pause, Instant grace_ends
) {
    LiveJob job;
    job.number = record.number;
    job.id = std::move(record.id);
    job.plan = std::move(record.plan);
    job.submitted = record.submitted;
    job.started = record.started;
    job.ended = record.ended;
    job.state = record.state;
    job.needed_by = needed_by(*job.plan);
    job.tasks.resize(job.plan->tasks.size());
    for (auto& [index, stored] : record.tasks) {
        if (index < 0 || index >= job.size()) {
            continue;
        }
        LiveTask& task = job.task(index);
        task.record = std::move(stored.record);
        if (stored.result) {
            task.object = stored.result->object.sha256;
            if (job.is_needed(index)) {
                task.result = std::move(stored.result);
            }
        }
    }
    for (int index = 0; index < job.size(); ++index) {
        LiveTask& task = job.task(index);
        task.unmet = count_unmet(job, index);
        if (is_final(task.record.state)) {
            continue;
        }
        ++job.open_tasks;
        const auto pause_ends = std::exchange(task.record.pause_ends, std::nullopt);
        if (task.record.state == TaskState::kRunning) {
            task.until = grace_ends;
        } else if (task.unmet > 0) {
            task.record.state = TaskState::kBlocked;
        } else if (pause_ends && *pause_ends > wall) {
            task.record.state = TaskState::kDelayed;
            task.until = now + std::min<Duration>(*pause_ends - wall, longest_pause);
        } else {
            task.record.state = TaskState::kReady;
        }
    }
    return job;
}

JobView view_of(const LiveJob& job) {
    JobView view;
    view.id = job.id;
    view.plan = job.plan;
    view.state = job.state;
    view.submitted = job.submitted;
    view.started = job.started;
    view.ended = job.ended;
    view.tasks.reserve(job.tasks.size());
    for (int index = 0; index < job.size(); ++index) {
        view.tasks.push_back(task_view(job, index));
    }
    return view;
}

JobState final_state(const LiveJob& job) {
    const auto has = [&](TaskState state) {
        return std::ranges::any_of(job.tasks, [state](const LiveTask& task) {
            return task.record.state == state;
        });
    };
    if (has(TaskState::kCancelled)) {
        return JobState::kCancelled;
    }
    return has(TaskState::kDead) ? JobState::kFailed : JobState::kDone;
}

}  // namespace tessera
