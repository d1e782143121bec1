#pragma once

#include "scheduler/ready_index.h"
#include "scheduler/scheduler.h"
#include "scheduler/worker_registry.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tessera {

/// As duration_of, and never so long that sums overflow.
[[nodiscard]] inline Duration span_of(double seconds) {
    constexpr double kLongest = 1e9;
    return duration_of(std::min(seconds, kLongest));
}

/// What the scheduler knows: tasks, and the two indices over them and the workers.
struct Scheduler::State {
    struct Task {
        enum class Stage : std::uint8_t {
            kForgotten,
            kReady,  ///< in the index
            kTaken,  ///< given to a worker by a decision that has not come true yet
            kRunning,
        };
        TaskId id;
        Stage stage = Stage::kForgotten;
        ReadyEntry entry;
        std::string tenant;
        std::vector<WorkerId> failed_on;
        PoolIndex pool = 0;
        WorkerIndex worker = 0;  ///< from kTaken on
        Instant ready_at;
        double charged = 0.0;  ///< to its tenant, seconds
        double work = 0.0;     ///< expected on its worker, seconds without loading
        double swap = 0.0;     ///< expected, seconds; 0: its model was there
        bool swaps = false;
        double left = 1.0;      ///< part of its cost that it does in this attempt
        bool is_lesson = true;  ///< its time says something of its worker
        Instant started;
        Instant expected_end;
    };

    State(const SchedulerSettings& its_settings, Entropy& its_entropy);

    [[nodiscard]] std::optional<TaskIndex> find(const TaskId& id) const;
    /// The task's record, new or emptied, with its facts filled in.
    TaskIndex learn_of(const ReadyTask& facts, Instant now, WallTime wall);
    /// When `moment` of the world is, or was, by the steady clock. The same for the same moment,
    /// whatever passes between reading the two clocks, until the world's is set to another time.
    [[nodiscard]] Instant steady(WallTime moment, Instant now, WallTime wall);
    void put_into_line(TaskIndex index);
    void out_of_line(const Task& task);
    void forget(TaskIndex index);
    /// Ends what a taken or running task holds; it has used so many seconds of its worker.
    void release(Task& task, TaskIndex index, double seconds);
    void set_expected_end(Task& task, Instant end);
    void start(TaskIndex index, double left, Instant now);
    /// Of the worker's time, until now.
    [[nodiscard]] static double elapsed(const Task& task, Instant now);

    /// Those of the pool on which such a task failed, they or their predecessors; none when nobody
    /// else could do it.
    [[nodiscard]] std::vector<WorkerIndex> excluded(
        const WorkerRegistry::Pool& pool, std::span<const WorkerId> failed_on
    ) const;
    /// Fills `members` with those of the pool that can begin such a task now. With `limit` they may
    /// be fewer, but not none when there are any.
    void gather(
        const WorkerRegistry::Pool& pool,
        std::span<const WorkerId> failed_on,
        bool hot_only,
        std::size_t limit,
        std::vector<std::uint32_t>& members
    ) const;
    /// Until then no worker should load the pool's model for such tasks, as one that has it will
    /// probably be free before; Instant::min(): no such thing.
    [[nodiscard]] Instant patient_until(
        const WorkerRegistry::Pool& pool, std::span<const WorkerId> failed_on
    ) const;
    [[nodiscard]] std::optional<TaskIndex> next_task(bool hot_only, Instant now);
    [[nodiscard]] Assignment assign(TaskIndex index, bool hot_only, Instant now);

    [[nodiscard]] WaitReason wait_reason(const Task& task, Instant now) const;
    [[nodiscard]] double usual_seconds(PoolIndex pool, double cost) const;
    [[nodiscard]] double running_seconds(Instant now) const;
    [[nodiscard]] Outlook outlook(const Task& task, Instant now) const;

    SchedulerSettings settings;
    Entropy* entropy;
    ReadyIndex index;
    WorkerRegistry registry;
    PolicyMemory memory;
    std::vector<Task> tasks;
    std::vector<TaskIndex> free_tasks;
    std::unordered_map<JobId, std::map<int, TaskIndex>> jobs;
    std::vector<std::vector<TaskIndex>> held;  ///< by worker: taken and running
    std::uint64_t sequence = 0;
    std::optional<std::pair<Instant, WallTime>> clocks;  ///< read together
    std::size_t running = 0;                             ///< taken and running
    /// Of their expected ends, in seconds since the clock's start.
    double expected_ends = 0.0;
    std::optional<Instant> ask_again;

    std::vector<ClassIndex> available;  ///< scratch
    std::vector<std::uint32_t> members;
    std::vector<Candidate> candidates;
};

}  // namespace tessera
