#pragma once

#include "job/progress.h"
#include "job/task.h"

#include <memory>
#include <span>
#include <vector>

namespace tessera {

/// The fractions of job/progress.h for one live job, kept up to date in constant time for each
/// change of a task. One thread.
class ProgressTally {
  public:
    /// `tasks` are the plan's, in order.
    ProgressTally(std::shared_ptr<const JobPlan> plan, std::span<const TaskStanding> tasks);

    /// `task` is an index into the plan's tasks.
    void set(int task, const TaskStanding& standing);

    [[nodiscard]] double unit_fraction(int unit) const;
    [[nodiscard]] double job_fraction() const;

  private:
    struct Sum {
        double whole = 0.0;
        double part = 0.0;
        int unfinished = 0;

        [[nodiscard]] double fraction() const;
    };
    struct Task {
        double part = 0.0;
        bool done = false;
    };
    [[nodiscard]] double weight(std::size_t task) const;
    /// Calls it for the sums that the task counts in: the job's, its unit's, its picture's.
    template <class Change>
    void for_sums_of(std::size_t task, const Change& change);

    std::shared_ptr<const JobPlan> plan_;
    Sum job_;
    std::vector<Sum> units_;
    std::vector<Task> tasks_;
};

}  // namespace tessera
