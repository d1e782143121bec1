#pragma once

#include "base/clock.h"
#include "job/states.h"
#include "job/task.h"

#include <optional>
#include <span>
#include <vector>

namespace tessera {

/// How far a task is.
struct TaskStanding {
    TaskState state = TaskState::kBlocked;
    TaskProgress progress;            ///< of the attempt that runs
    std::optional<WallTime> started;  ///< of the last attempt
    std::optional<WallTime> ended;
};

/// How far a job or a unit is.
struct Standing {
    /// The done part of the expected cost, 0 to 1; 1 only when all is done. Grows as long as
    /// attempts succeed; a failed attempt takes back its own part.
    double fraction = 0.0;
    std::optional<WallTime> started;  ///< the first task's start; absent: nothing has begun
    std::optional<WallTime> ended;    ///< the last task's end; absent: some are not final
};

/// A task's part that is done, 0 to 1; 1 only when it is kDone. What follows the last step
/// (decoding, storing) counts as a twentieth.
[[nodiscard]] double task_fraction(const TaskStanding& task);

/// `tasks` are the plan's, in order. A picture has its tiles' tasks as well as its own.
[[nodiscard]] Standing job_standing(const JobPlan& plan, std::span<const TaskStanding> tasks);
/// One for each unit of the plan.
[[nodiscard]] std::vector<Standing> unit_standings(
    const JobPlan& plan, std::span<const TaskStanding> tasks
);

}  // namespace tessera
