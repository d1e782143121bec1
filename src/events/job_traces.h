#pragma once

#include "base/clock.h"
#include "events/job_history.h"
#include "queue/task_queue.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tessera {

struct JobTraceLimits {
    std::size_t ended_jobs = 1000;  ///< the last that ended are kept
    // What happened to tasks, three things and more for each. What is beyond is counted only.
    std::size_t marks_of_job = 8192;
    std::size_t marks = 131'072;  ///< older jobs that have ended make room
};

/// A job's trace so far.
struct JobTrace {
    Trace trace;
    SpanTime began;
    SpanTime until;  ///< its end, or now
    bool has_ended = false;
    std::size_t left_out = 0;  ///< see JobHistory
};

/// Makes the trace of each job out of what the queue says, and keeps those of jobs that live or
/// ended lately. Workers are not asked: they name the spans that belong to a task by its
/// traceparent (telemetry/trace_context.h). Thread-safe.
class JobTraces {
  public:
    using Limits = JobTraceLimits;
    /// Told each life of a job that ended, for export, on the queue's thread: must not block.
    using OnEnd = std::function<void(std::shared_ptr<const JobHistory>)>;

    /// `unfinished`: the jobs that the queue holds, before anybody works with it. The clock must
    /// outlive it.
    JobTraces(
        const Clock& clock,
        const std::vector<JobView>& unfinished,
        const Limits& limits = {},
        OnEnd on_end = {}
    );

    /// For TaskQueue::watch.
    void hear(const QueueEvent& event);

    /// Nothing for a job that is not known, or not any more.
    [[nodiscard]] std::optional<JobTrace> trace(const JobId& job) const;

  private:
    using HistoryPtr = std::shared_ptr<const JobHistory>;
    struct LiveLife {
        JobHistory history;
        Instant origin;  ///< when it began
        std::unordered_map<int, TaskProgress> progress;
    };
    struct Job {
        std::deque<HistoryPtr> ended_lives;
        std::unique_ptr<LiveLife> live;
        std::optional<std::list<JobId>::iterator> place;  ///< in ended_
    };

    // With the lock held.
    void begin(const QueueEvent& event);
    void add_mark(LiveLife& life, const QueueEvent& event, TaskMark::Kind kind);
    void forget(std::unordered_map<JobId, Job>::iterator job);
    [[nodiscard]] bool make_room();
    [[nodiscard]] HistoryPtr end(const QueueEvent& event);

    const Clock& clock_;
    const Limits limits_;
    const OnEnd on_end_;

    mutable std::mutex mutex_;  // guards what follows
    std::unordered_map<JobId, Job> jobs_;
    std::list<JobId> ended_;  ///< the longest ago first
    std::size_t marks_ = 0;
};

}  // namespace tessera
