#pragma once

#include "queue/queue_records.h"
#include "queue/task_queue.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace tessera {

/// A task of a job that has not ended, in memory.
struct LiveTask {
    TaskRecord record;
    /// While running: end of the lease. While delayed: end of the pause.
    Instant until;
    /// Tasks that it needs and that are not done, counted as often as it names them.
    int unmet = 0;
    /// An open transaction has changed it: nobody may claim it or speak for it until that is over.
    bool is_settling = false;
    /// The record has changed and is not among the changes yet.
    bool is_unwritten = false;
    std::shared_ptr<const TaskProgress> progress;
    /// Of a done task, while a task that needs it may be claimed.
    std::shared_ptr<const TaskResult> result;
    std::string object;  ///< of a done task: its result's hash
};

struct LiveJob {
    JobNumber number = 0;
    JobId id;
    std::shared_ptr<const JobPlan> plan;
    WallTime submitted;
    std::optional<WallTime> started;
    /// Set by an open transaction only: when that is committed, the job leaves the book.
    std::optional<WallTime> ended;
    JobState state = JobState::kQueued;
    bool is_unwritten = false;
    /// Not committed yet: nobody sees it.
    bool is_new = false;
    int open_tasks = 0;  ///< those in no final state
    std::vector<LiveTask> tasks;
    /// For each task, those that need it. Empty where none needs any.
    std::vector<std::vector<int>> needed_by;

    [[nodiscard]] LiveTask& task(int index) { return tasks[static_cast<std::size_t>(index)]; }
    [[nodiscard]] const LiveTask& task(int index) const {
        return tasks[static_cast<std::size_t>(index)];
    }
    [[nodiscard]] const TaskPlan& task_plan(int index) const {
        return plan->tasks[static_cast<std::size_t>(index)];
    }
    [[nodiscard]] int size() const { return static_cast<int>(tasks.size()); }
    [[nodiscard]] bool is_needed(int index) const {
        return !needed_by.empty() && !needed_by[static_cast<std::size_t>(index)].empty();
    }
};

/// From what is stored: blocked, ready and delayed are told anew from needs and pauses. A pause is
/// never longer than `longest_pause` from now, whatever the wall clock did meanwhile; what runs has
/// until `grace_ends` to be heard of.
[[nodiscard]] LiveJob live_job(
    JobRecord record, Instant now, WallTime wall, Duration longest_pause, Instant grace_ends
);

/// Without what only the store has: results and failures.
[[nodiscard]] JobView view_of(const LiveJob& job);

/// What became of a job whose tasks have all come to an end.
[[nodiscard]] JobState final_state(const LiveJob& job);

}  // namespace tessera
