#pragma once

#include "scheduler/scheduler.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tessera {

/// A scheduler in virtual time, with short words for facts.
class TestFarm {
  public:
    explicit TestFarm(SchedulerSettings settings = {}, std::uint64_t seed = 1)
        : entropy_(seed), scheduler(settings, entropy_) {}

    /// Without load times, one second for each unit of cost.
    static SchedulerSettings plain(Policy policy = Policy::kEarliestFinish) {
        SchedulerSettings settings;
        settings.policy = policy;
        settings.seconds_per_cost = 1.0;
        settings.swap_seconds = 0.0;
        return settings;
    }

    static ReadyTask task(const std::string& job, int index = 0) {
        ReadyTask task;
        task.id = {JobId{job}, index};
        task.tenant = "anna";
        task.affinity = "sd15";
        task.cost = 1.0;
        return task;
    }

    void ready(ReadyTask task) {
        if (task.submitted == WallTime()) {
            task.submitted = wall();
        }
        scheduler.task_ready(task, now, wall());
    }

    /// Offers the models, the first of them loaded, and asks for work for all of its slots.
    void join(
        const std::string& worker,
        int slots = 1,
        std::vector<std::string> models = {"sd15"},
        const std::string& predecessor = ""
    ) {
        WorkerOffer offer;
        offer.worker = WorkerId{worker};
        offer.node = "node of " + worker;
        offer.slots = slots;
        offer.predecessor = WorkerId{predecessor};
        for (std::string& model : models) {
            offer.models.push_back({std::move(model), offer.models.empty()});
        }
        scheduler.worker_joined(offer);
        scheduler.worker_credit(offer.worker, slots);
    }

    std::optional<Assignment> next() {
        auto assignment = scheduler.next(now);
        if (assignment) {
            scheduler.task_started(assignment->task, assignment->worker, now);
        }
        return assignment;
    }

    /// "job" of the task that begins, or "" when none does.
    std::string next_job() {
        const auto assignment = next();
        return assignment ? assignment->task.job.value : "";
    }
    std::string next_worker() {
        const auto assignment = next();
        return assignment ? assignment->worker.value : "";
    }

    /// It ends, and the worker asks for one more.
    void end(
        const Assignment& assignment, double seconds = 1.0, TaskOutcome outcome = TaskOutcome::kDone
    ) {
        scheduler.task_ended(assignment.task, assignment.worker, outcome, seconds, now);
        scheduler.worker_credit(assignment.worker, 1);
    }

    /// A process takes the place of one that has left.
    void replace(const std::string& predecessor, const std::string& worker) {
        join(worker, 1, {"sd15"}, predecessor);
    }

    void pass(double seconds) { now += duration_of(seconds); }
    [[nodiscard]] WallTime wall() const {
        return WallTime(std::chrono::hours(500'000)) +
               std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    }

    Instant now{std::chrono::hours(1)};

  private:
    SeededEntropy entropy_;

  public:
    Scheduler scheduler;
};

}  // namespace tessera
