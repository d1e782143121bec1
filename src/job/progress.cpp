#include "job/progress.h"

#include <algorithm>

namespace tessera {
namespace {

constexpr double kStepsShare = 0.95;
constexpr double kAlmostDone = 0.9999;
constexpr double kLeastCost = 1e-9;  // so that tasks that cost nothing count among themselves

class Sum {
  public:
    void add(const TaskPlan& plan, const TaskStanding& task) {
        const double weight = std::max(plan.cost, kLeastCost);
        whole_ += weight;
        part_ += weight * task_fraction(task);
        all_done_ = all_done_ && task.state == TaskState::kDone;
        all_final_ = all_final_ && is_final(task.state);
        if (task.started && (!started_ || *task.started < *started_)) {
            started_ = task.started;
        }
        if (task.ended && (!ended_ || *task.ended > *ended_)) {
            ended_ = task.ended;
        }
    }

    [[nodiscard]] Standing standing() const {
        return {
            .fraction = all_done_ ? 1.0 : std::min(part_ / whole_, kAlmostDone),
            .started = started_,
            .ended = all_final_ ? ended_ : std::nullopt,
        };
    }

  private:
    double whole_ = 0.0;
    double part_ = 0.0;
    bool all_done_ = true;
    bool all_final_ = true;
    std::optional<WallTime> started_;
    std::optional<WallTime> ended_;
};

}  // namespace

double task_fraction(const TaskStanding& task) {
    if (task.state == TaskState::kDone) {
        return 1.0;
    }
    if (task.state != TaskState::kRunning || task.progress.steps <= 0) {
        return 0.0;
    }
    return kStepsShare * std::clamp(task.progress.step, 0, task.progress.steps) /
           task.progress.steps;
}

Standing job_standing(const JobPlan& plan, std::span<const TaskStanding> tasks) {
    Sum sum;
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        sum.add(plan.tasks[i], tasks[i]);
    }
    return sum.standing();
}

std::vector<Standing> unit_standings(const JobPlan& plan, std::span<const TaskStanding> tasks) {
    std::vector<Sum> sums(plan.units.size());
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        const auto unit = static_cast<std::size_t>(plan.tasks[i].unit);
        sums[unit].add(plan.tasks[i], tasks[i]);
        if (const auto& picture = plan.units[unit].part_of) {
            sums[static_cast<std::size_t>(*picture)].add(plan.tasks[i], tasks[i]);
        }
    }
    std::vector<Standing> standings;
    standings.reserve(sums.size());
    for (const Sum& sum : sums) {
        standings.push_back(sum.standing());
    }
    return standings;
}

}  // namespace tessera
