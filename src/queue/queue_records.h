#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "job/states.h"
#include "job/task.h"
#include "queue/task_queue.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What a back end keeps of jobs and tasks, as data between TaskBook and whatever stores it.
namespace tessera {

/// A job's short name inside one back end: grows, and is not used twice while a server lives.
using JobNumber = std::int64_t;

/// How the attempt under a task's epoch ended, where no result ended it.
enum class AttemptEnd : std::uint8_t {
    kOpen,      ///< it has not, or there was none
    kLost,      ///< the worker was not heard of any more; it may come back until the next claim
    kReported,  ///< the worker itself said that it failed: its epoch is worth nothing any more
};

struct TaskRecord {
    TaskState state = TaskState::kBlocked;
    Epoch epoch;  ///< the largest known; 0: never claimed
    AttemptEnd attempt_end = AttemptEnd::kOpen;
    int attempts = 0;
    int own_failures = 0;
    int infrastructure_losses = 0;
    WorkerId worker;
    std::vector<WorkerId> failed_on;
    std::optional<WallTime> started;  ///< of the last attempt
    std::optional<WallTime> ended;
    std::optional<WallTime> pause_ends;  ///< while delayed
    std::shared_ptr<const TaskCheckpoint> checkpoint;
};

struct StoredTask {
    TaskRecord record;
    std::shared_ptr<const TaskResult> result;
};

struct JobRecord {
    JobNumber number = 0;
    JobId id;
    JobState state = JobState::kQueued;
    WallTime submitted;
    std::optional<WallTime> started;
    std::optional<WallTime> ended;
    std::shared_ptr<const JobPlan> plan;
    /// By index; a task to which nothing has happened yet is not in it.
    std::map<int, StoredTask> tasks;
};

struct JobChanged {
    JobNumber number = 0;
    JobState state = JobState::kQueued;
    std::optional<WallTime> started;
    std::optional<WallTime> ended;
};

struct TaskChanged {
    JobNumber job = 0;
    int task = 0;
    TaskRecord record;
};

struct ResultAdded {
    JobNumber job = 0;
    int task = 0;
    std::shared_ptr<const TaskResult> result;
};

struct FailureAdded {
    JobNumber job = 0;
    int task = 0;
    FailedAttempt record;
};

/// What is to be written, in order.
using Change = std::variant<JobChanged, TaskChanged, ResultAdded, FailureAdded>;

}  // namespace tessera
