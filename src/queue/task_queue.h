#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "job/states.h"
#include "job/task.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tessera {

/// Called once, from a thread of the queue's, when what was asked for is durable or has failed. It
/// must not block and must not call back into the queue but for reads.
template <class T>
using Done = std::function<void(Result<T>)>;

struct Enqueued {
    JobId job;
    bool existed = false;  ///< an equal job under the same idempotency key was there already
};

/// A task that may be claimed now: all that a scheduler needs to know of it.
struct ReadyTask {
    TaskId id;
    TaskKind kind = TaskKind::kRender;
    std::string tenant;
    std::string affinity;
    Priority priority = Priority::kNormal;
    double cost = 0.0;
    WallTime submitted;
    std::optional<WallTime> deadline;
    /// Workers on which it failed by its own fault.
    std::vector<WorkerId> failed_on;
};

/// What a worker needs to begin.
struct Claim {
    TaskId task;
    Epoch epoch;
    Instant lease_ends;
    int attempt = 1;  ///< from 1
    TaskPlan plan;
    UnitPlan unit;
    std::shared_ptr<const JobPlan> job;
    std::vector<TaskResult> inputs;  ///< of plan.needs, in order
    std::optional<TaskCheckpoint> checkpoint;
};

struct Renewal {
    TaskId task;
    Epoch epoch;
    std::optional<TaskProgress> progress;
};

enum class RenewAnswer : std::uint8_t {
    kGoOn,
    kCancelled,  ///< the job is not wanted any more: stop within a step
    kStale,      ///< the task is somebody else's by now: stop
};

/// What happened. Fields that do not apply are empty.
struct QueueEvent {
    enum class Kind : std::uint8_t {
        kJobQueued,
        kTaskReady,
        kTaskClaimed,
        kTaskProgress,
        kTaskReturned,  ///< failed or lost, will be tried again (failure says why)
        kTaskDone,
        kTaskDead,
        kTaskCancelled,
        kJobRunning,
        kJobEnded,  ///< job_state says how
        kJobDeleted,
    };
    Kind kind = Kind::kJobQueued;
    JobId job;
    std::string tenant;
    TaskId task;
    int unit = 0;
    bool publishes = false;
    WorkerId worker;
    Epoch epoch;
    TaskProgress progress;
    std::optional<TaskResult> result;
    std::optional<TaskFailure> failure;
    bool lease_ran_out = false;           ///< of kTaskReturned and kTaskDead: by that
    std::optional<ReadyTask> ready;       ///< of kTaskReady
    std::shared_ptr<const JobPlan> plan;  ///< of kJobQueued
    bool is_retry = false;                ///< of kJobQueued: an ended job gets another life
    JobState job_state = JobState::kQueued;
};

struct TaskView {
    TaskId id;
    TaskPlan plan;
    TaskState state = TaskState::kBlocked;
    WorkerId worker;  ///< while it runs, and of the last attempt
    TaskProgress progress;
    int own_failures = 0;
    int infrastructure_losses = 0;
    std::optional<WallTime> started;  ///< of the last attempt
    std::optional<WallTime> ended;
    std::optional<TaskResult> result;
    std::optional<TaskFailure> failure;  ///< the last one
};

struct JobView {
    JobId id;
    std::shared_ptr<const JobPlan> plan;
    JobState state = JobState::kQueued;
    WallTime submitted;
    std::optional<WallTime> started;
    std::optional<WallTime> ended;
    std::vector<TaskView> tasks;
};

struct JobFilter {
    std::string tenant;  ///< empty: all
    std::optional<JobState> state;
    std::string client_tag;  ///< empty: any
    JobId before;            ///< newest first, older than this one; empty: from the newest
    int limit = 50;
};

/// One of the attempts that failed.
struct FailedAttempt {
    int attempt = 0;
    Epoch epoch;
    WorkerId worker;
    WallTime time;
    TaskFailure failure;
};

/// Numbers of live things, for admission and metrics.
struct QueueCounts {
    std::size_t blocked = 0;
    std::size_t ready = 0;
    std::size_t delayed = 0;
    std::size_t running = 0;
    double waiting_cost = 0.0;  ///< of blocked, ready and delayed tasks
};

struct RetryPolicy {
    int own_failures = 3;            ///< then the task is dead
    int infrastructure_losses = 20;  ///< a task that takes so many workers with it is dead too
    Duration first_pause = std::chrono::seconds(1);
    Duration longest_pause = std::chrono::minutes(5);
    /// After a loss by the infrastructure: not the task's fault, so it is not kept waiting long.
    Duration longest_loss_pause = std::chrono::seconds(5);
};

/// Whether there is room for one job more, by what of its tenant is there already.
using Admission = std::function<Status(const QueueCounts& of_tenant)>;

/// The durable list of work, whatever keeps it: see docs/queue.md for the contract that every back
/// end passes (queue/conformance_test.h). Thread-safe.
///
/// Durable when answered: enqueue, complete, fail, cancel, retry, remove. A claim is not: after a
/// crash of the server its epoch may be unknown. An epoch of an older incarnation is honoured as
/// long as the current incarnation has not handed the task out again and no larger epoch of it is
/// on record; the first that commits wins.
class TaskQueue {
  public:
    virtual ~TaskQueue() = default;

    /// Stores a plan whole or not at all. The id is chosen by the caller (new_ulid), so that events
    /// can be listened for before. kConflict when another body stands under its idempotency key.
    /// `admit` is asked in one step with storing, and not for a job that is there already.
    virtual void enqueue(JobId id, JobPlan plan, Done<Enqueued> done, Admission admit) = 0;
    void enqueue(JobId id, JobPlan plan, Done<Enqueued> done) {
        enqueue(std::move(id), std::move(plan), std::move(done), nullptr);
    }

    /// Takes a ready task. kConflict when it is not ready any more; should that turn out otherwise,
    /// kTaskReady is said again.
    [[nodiscard]] virtual Result<Claim> claim(
        const TaskId& task, const WorkerId& worker, Duration lease
    ) = 0;
    /// A worker that came back says what it still works on: the claim goes on under the same epoch
    /// if that is still worth something, else kConflict.
    [[nodiscard]] virtual Result<Claim> readopt(
        const TaskId& task, Epoch epoch, const WorkerId& worker, Duration lease
    ) = 0;
    /// Also brings back a task whose lease has run out, as long as nobody else has it.
    [[nodiscard]] virtual RenewAnswer renew(const Renewal& renewal, Duration lease) = 0;
    /// kConflict when the epoch is stale; kUnavailable for the moment in which an end of the task
    /// is being written. Kept without waiting for the disk.
    [[nodiscard]] virtual Status checkpoint(
        const TaskId& task, Epoch epoch, TaskCheckpoint checkpoint
    ) = 0;
    /// kConflict when the epoch is stale, kInvalidArgument for a result that check_shape refuses.
    /// Saying the same again after success succeeds, in `fail` too.
    virtual void complete(const TaskId& task, Epoch epoch, TaskResult result, Done<void> done) = 0;
    virtual void fail(const TaskId& task, Epoch epoch, TaskFailure failure, Done<void> done) = 0;
    /// All that this worker holds goes back at once, as infrastructure losses.
    virtual void lose_worker(const WorkerId& worker, const std::string& reason) = 0;

    /// kNotFound; kConflict when it has ended in another way.
    virtual void cancel(const JobId& job, Done<void> done) = 0;
    /// Dead tasks, and cancelled ones that needed them, get a new life. kConflict when none is
    /// dead.
    virtual void retry(const JobId& job, Done<void> done) = 0;
    /// Forgets an ended job. kConflict while it has not ended.
    virtual void remove(const JobId& job, Done<void> done) = 0;

    /// Lets time act: leases that have run out, pauses that are over, deadlines that have passed.
    /// Gives the moment of the next such thing that is known now.
    virtual std::optional<Instant> tick() = 0;

    /// From now on hears every event, in order, after it is durable where it is to be; called from
    /// the queue's threads, must not block. First of all it hears kTaskReady for all that is ready
    /// already. Dropping the handle ends it.
    [[nodiscard]] virtual std::shared_ptr<void> watch(
        std::function<void(const QueueEvent&)> listener
    ) = 0;

    /// kNotFound.
    [[nodiscard]] virtual Result<JobView> job(const JobId& id) const = 0;
    /// Newest first. Without tasks' results.
    [[nodiscard]] virtual Result<std::vector<JobView>> jobs(const JobFilter& filter) const = 0;
    /// The last failures of a task, newest first, with the end of their logs: what a person reads
    /// of a dead one. Empty for a task that never failed or is not known.
    [[nodiscard]] virtual Result<std::vector<FailedAttempt>> failures(const TaskId& task) const = 0;
    /// Jobs that ended before then, the longest ago first: what retention may remove.
    [[nodiscard]] virtual Result<std::vector<JobId>> ended_before(WallTime time, int limit)
        const = 0;
    /// The live ones; of one tenant, or of all when it is empty.
    [[nodiscard]] virtual QueueCounts counts(const std::string& tenant) const = 0;
    /// SHA-256 of every object that a job refers to: what the store must keep.
    [[nodiscard]] virtual Result<std::vector<std::string>> referenced_objects() const = 0;

    [[nodiscard]] virtual std::uint32_t incarnation() const = 0;
    /// Returns when everything asked for so far has been answered.
    virtual void flush() = 0;
};

}  // namespace tessera
