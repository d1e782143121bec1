#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "queue/task_queue.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tessera {

/// How long things took, in seconds. Each is a value that occurred, by nearest rank; all 0 when
/// there were none.
struct Percentiles {
    std::size_t count = 0;
    double mean = 0.0;
    double p50 = 0.0;
    double p90 = 0.0;
    double p99 = 0.0;
    double max = 0.0;
};

/// What a farm, or a tenant of it, did between two moments. Everything counts when it happened,
/// whenever its job was handed in.
struct JobReport {
    WallTime from;
    WallTime to;

    std::size_t submitted = 0;  ///< these five count jobs
    std::size_t done = 0;
    std::size_t failed = 0;
    std::size_t cancelled = 0;
    std::size_t unfinished = 0;  ///< at `to`
    std::size_t pictures = 0;
    /// Attempts that failed, of tasks that ended or have not: by their own fault, or not.
    std::size_t own_failures = 0;
    std::size_t infrastructure_losses = 0;

    Percentiles wait;  ///< of jobs that began: from being handed in
    Percentiles run;   ///< of jobs that were done: from their beginning

    /// Of slots, by each task's last attempt: when an earlier one began is not kept.
    double busy_seconds = 0.0;
    /// 0 to 1: what was used of the slots of workers that are here now, each since it came; absent
    /// when there are none.
    std::optional<double> utilisation;

    struct Failure {
        std::string reason;  ///< the first that was given; others differ in their numbers at most
        FaultKind fault = FaultKind::kTask;
        std::size_t tasks = 0;
    };
    std::vector<Failure> failures;  ///< tasks that failed for good, the most frequent reasons first
    std::size_t failures_left_out = 0;  ///< tasks that failed for rarer reasons

    struct Tenant {
        std::string tenant;
        std::size_t jobs = 0;  ///< handed in
        std::size_t failed_jobs = 0;
        std::size_t pictures = 0;
        double cost = 0.0;  ///< of the tasks done
        double busy_seconds = 0.0;
    };
    std::vector<Tenant> tenants;  ///< the largest cost first

    struct Slice {
        WallTime begin;
        std::size_t pictures = 0;
        std::size_t failed_tasks = 0;
        double busy_seconds = 0.0;
        double mean_wait = 0.0;  ///< in seconds, of the jobs that began
    };
    std::vector<Slice> slices;  ///< equal parts of the time, in order
};

/// Adds up a report, job by job. What it keeps of a job are some numbers; reasons and tenants that
/// it tells are bounded. One thread.
class JobReporter {
  public:
    /// What a worker that is here at `to` offers.
    struct Slots {
        int count = 0;
        WallTime since;
    };

    static constexpr std::size_t kMostReasons = 20;
    static constexpr std::size_t kMostTenants = 1000;

    /// `to` is now, and after `from`; `slices` from 1.
    JobReporter(WallTime from, WallTime to, std::size_t slices, std::map<WorkerId, Slots> workers);

    /// Each job once, with the failures of its dead tasks.
    void add(const JobView& job);

    [[nodiscard]] JobReport finish() const;

  private:
    using Reason = std::pair<FaultKind, std::string>;

    [[nodiscard]] bool is_inside(const std::optional<WallTime>& time) const;
    [[nodiscard]] std::size_t slice_at(WallTime time) const;
    [[nodiscard]] WallTime edge(std::size_t slice) const;
    void add_state(const JobView& job, JobReport::Tenant& tenant);
    void add_times(const JobView& job);
    void add_task(const TaskView& task, JobReport::Tenant& tenant);
    void add_busy(const TaskView& task, JobReport::Tenant& tenant);
    void add_death(const TaskView& task);

    JobReport report_;
    std::map<WorkerId, Slots> workers_;
    double used_seconds_ = 0.0;  ///< of the slots of workers_
    std::map<std::string, JobReport::Tenant> tenants_;
    std::map<Reason, JobReport::Failure> reasons_;
    std::vector<std::size_t> begun_;  ///< jobs, by slice
    std::vector<double> waits_;
    std::vector<double> runs_;
};

}  // namespace tessera
