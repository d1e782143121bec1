#include "events/progress_tally.h"

#include <algorithm>
#include <utility>

namespace tessera {
namespace {

// As in job/progress.cpp; a test holds them equal.
constexpr double kAlmostDone = 0.9999;
constexpr double kLeastCost = 1e-9;

}  // namespace

ProgressTally::ProgressTally(
    std::shared_ptr<const JobPlan> plan, std::span<const TaskStanding> tasks
)
    : plan_(std::move(plan)), units_(plan_->units.size()), tasks_(plan_->tasks.size()) {
    for (std::size_t task = 0; task < tasks_.size(); ++task) {
        for_sums_of(task, [whole = weight(task)](Sum& sum) {
            sum.whole += whole;
            sum.unfinished += 1;
        });
    }
    for (std::size_t task = 0; task < std::min(tasks_.size(), tasks.size()); ++task) {
        set(static_cast<int>(task), tasks[task]);
    }
}

double ProgressTally::weight(std::size_t task) const {
    return std::max(plan_->tasks[task].cost, kLeastCost);
}

template <class Change>
void ProgressTally::for_sums_of(std::size_t task, const Change& change) {
    const auto unit = static_cast<std::size_t>(plan_->tasks[task].unit);
    change(job_);
    change(units_[unit]);
    if (const auto& picture = plan_->units[unit].part_of) {
        change(units_[static_cast<std::size_t>(*picture)]);
    }
}

void ProgressTally::set(int task, const TaskStanding& standing) {
    const auto index = static_cast<std::size_t>(task);
    if (index >= tasks_.size()) {
        return;
    }
    const Task now{
        weight(index) * task_fraction(standing),
        standing.state == TaskState::kDone,
    };
    const Task before = std::exchange(tasks_[index], now);
    for_sums_of(index, [&](Sum& sum) {
        sum.part += now.part - before.part;
        sum.unfinished += (now.done ? 0 : 1) - (before.done ? 0 : 1);
    });
}

double ProgressTally::Sum::fraction() const {
    return unfinished == 0 ? 1.0 : std::clamp(part / whole, 0.0, kAlmostDone);
}

double ProgressTally::unit_fraction(int unit) const {
    const auto index = static_cast<std::size_t>(unit);
    return index < units_.size() ? units_[index].fraction() : 0.0;
}

double ProgressTally::job_fraction() const {
    return job_.fraction();
}

}  // namespace tessera
