#pragma once

#include "base/clock.h"
#include "queue/task_queue.h"
#include "telemetry/metrics.h"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace tessera {

/// Counts jobs and tasks by what the queue says. At every scrape the jobs add up: submitted = done
/// + failed + cancelled + in flight. Thread-safe.
class QueueMetrics {
  public:
    /// `unfinished`: the jobs that the queue holds, before anybody works with it. Clock and metrics
    /// must outlive it.
    QueueMetrics(Metrics& metrics, const Clock& clock, const std::vector<JobView>& unfinished);
    ~QueueMetrics();
    QueueMetrics(const QueueMetrics&) = delete;
    QueueMetrics& operator=(const QueueMetrics&) = delete;

    /// For TaskQueue::watch.
    void hear(const QueueEvent& event);

  private:
    static constexpr std::size_t kPriorities = 3;
    static constexpr std::size_t kStates = 5;

    /// Of a task whose attempt began before this life of the server nothing is kept.
    struct Task {
        ReadyTask facts;
        Instant ready;
        std::optional<Instant> claimed;
    };
    struct Job {
        Instant submitted;
        Priority priority = Priority::kNormal;
        std::unordered_map<int, Task> tasks;  ///< that are ready or run
    };

    Job& job_of(const QueueEvent& event);
    void hear_claim(const QueueEvent& event);
    void hear_attempt_end(const QueueEvent& event, const char* outcome);
    void hear_result(const QueueEvent& event);
    void hear_job_end(const QueueEvent& event);
    void write(MetricWriter& writer) const;

    Metrics& metrics_;
    const Clock& clock_;
    const Counter dead_;
    const Counter expiries_;
    std::vector<Histogram> waits_;  ///< by priority
    std::vector<Histogram> lasted_;

    mutable std::mutex mutex_;  // guards what follows
    std::unordered_map<JobId, Job> jobs_;
    std::uint64_t submitted_ = 0;
    std::array<std::uint64_t, kStates> ended_{};  ///< by JobState

    std::shared_ptr<void> collected_;
};

/// All jobs that have not ended, with those of their tasks that run or pause.
[[nodiscard]] Result<std::vector<JobView>> unfinished_jobs(const TaskQueue& queue);

}  // namespace tessera
