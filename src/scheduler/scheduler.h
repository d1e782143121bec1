#pragma once

#include "base/clock.h"
#include "base/entropy.h"
#include "base/id.h"
#include "job/task.h"
#include "link/messages.h"
#include "queue/task_queue.h"
#include "scheduler/policy.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

struct SchedulerSettings {
    Policy policy = Policy::kEarliestFinish;
    /// Waiting so long lifts a task by one priority among its tenant's.
    Duration ageing_step = std::chrono::seconds(60);
    /// Seconds of a worker that a tenant gets in one round.
    double tenant_quantum_seconds = 10.0;
    /// A worker that has loaded a model stays with it for so many times the loading time, as long
    /// as there is work for it. Below 5 a loaded farm spends its time loading.
    double model_quantum_swaps = 15.0;
    /// While a model is loaded somewhere, no other worker loads it for as long as those that have
    /// it have no more than one loading time of work before them, and at most so many loading
    /// times.
    double patience_swaps = 2.0;
    /// Own-fault failures in a row after which a worker is kept off a kind of task.
    int keep_off_failures = 3;
    /// Assumed until something has been measured.
    double seconds_per_cost = 0.5;
    double swap_seconds = 2.0;
};

/// What a worker says of itself when it joins.
struct WorkerOffer {
    WorkerId worker;
    std::string node;
    std::string fingerprint;
    int slots = 1;
    std::vector<ModelOffer> models;
    /// The process that it replaces; empty: none. For the rules on failures both are one worker.
    WorkerId predecessor;
};

/// How a task's time on a worker ended.
enum class TaskOutcome : std::uint8_t {
    kDone,
    kOwnFault,  ///< counts against the worker, see SchedulerSettings::keep_off_failures
    kLost,      ///< infrastructure: says nothing about task or worker
    kCancelled,
};

/// A decision. The scheduler counts the task as taken and one credit of the worker as used from
/// then on.
struct Assignment {
    TaskId task;
    WorkerId worker;
    /// How long it will probably take there, the model's loading included.
    Duration expected{};
    bool swap = false;  ///< the worker has to load the model first
    Policy policy = Policy::kEarliestFinish;
    /// Workers among which the policy chose.
    int candidates = 1;
};

/// One sentence for a log: "a worker has its model loaded; earliest_finish of 3, about 4.1 s".
[[nodiscard]] std::string why(const Assignment& assignment);

/// Why a ready task has not begun.
enum class WaitReason : std::uint8_t {
    kTurn,         ///< a worker is free; others are before it, or a model's turn is not over
    kModelSoon,    ///< a worker that has its model will be free before another has loaded it
    kAllBusy,      ///< every worker that could do it is busy
    kNoWorker,     ///< there is no worker at all
    kNoModel,      ///< no worker has its model
    kDraining,     ///< those that have its model take no new work
    kKeptOff,      ///< those that are free failed too often at such tasks
    kFailedThere,  ///< those that are free are those on which it failed
};

/// One sentence for a person.
[[nodiscard]] std::string_view to_string(WaitReason reason);

/// Estimates; nothing is promised.
struct Outlook {
    /// Tasks that will probably begin before it; 0: the next, or it runs.
    std::size_t position = 0;
    bool running = false;
    Instant start;                          ///< of a running task: when it began
    Instant finish;                         ///< absent worker: as if one with the model came now
    WaitReason reason = WaitReason::kTurn;  ///< unless it runs
};

/// The ready tasks of one tenant in one priority class.
struct WaitingLine {
    Priority priority = Priority::kNormal;
    std::string tenant;
    std::size_t tasks = 0;
    double cost = 0.0;
    Duration oldest{};  ///< how long the one has waited that has waited longest
};

struct WorkerView {
    WorkerId id;
    std::string node;
    std::string fingerprint;
    int slots = 0;
    int credit = 0;  ///< tasks that may be sent now
    bool draining = false;
    std::vector<TaskId> running;
    std::vector<std::string> loaded;  ///< affinities
    std::vector<TaskKind> kept_off;
};

/// Decides which ready task goes to which worker, when both are there (late binding). It is told
/// facts and asked for decisions; it does nothing itself: no I/O, no clock, no thread. Equal facts,
/// times and entropy give equal decisions. One thread at a time.
///
/// Order of tasks: tenants take turns by deficit round robin on worker-seconds, estimated when a
/// task begins and corrected when it ends; within a tenant urgent deadlines first (slack below
/// twice the expected time, earliest deadline first, those already missed not counted), then
/// priority + floor(wait / ageing_step), then first come. A worker that loaded a model takes tasks
/// of that model alone until its quantum is used up or there are none; this goes before the order
/// of tenants and priorities, as a farm that swaps at every turn cannot carry its load.
///
/// A worker may get a task when it has credit, is not draining, offers the task's affinity (an
/// empty one: any worker), has not failed at it, and is not kept off its kind. The last two do not
/// count when nobody else that lives could do it. A process that crashes or starts anew does not
/// clear itself by that: its successor, and itself when it comes back, goes on with its failures.
/// The last sixteen processes before it, and about a thousand that have left, are remembered.
///
/// Facts about tasks and workers that it does not know are ignored.
class Scheduler {
  public:
    /// The entropy must outlive it; only kRandom and kPowerOfTwo draw from it.
    Scheduler(const SchedulerSettings& settings, Entropy& entropy);
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    /// QueueEvent::kTaskReady. A task known already is put into line anew; credit that it held is
    /// not given back.
    void task_ready(const ReadyTask& task, Instant now, WallTime wall);
    /// It is not ready any more, and not by our doing: cancelled, dead, deleted. Also ends a
    /// running one, without a lesson; its tenant pays for the time it had.
    void task_gone(const TaskId& task, Instant now);

    /// Its predecessor has left by that.
    void worker_joined(const WorkerOffer& offer);
    /// Its tasks are forgotten; the queue will say which of them are ready again.
    void worker_left(const WorkerId& worker);
    /// It turns out that it failed at such a task by its own fault: it crashed. Also of one that
    /// has left, and then of its successor.
    void worker_failed(const WorkerId& worker, TaskKind kind);
    /// It takes no new task from now on.
    void worker_draining(const WorkerId& worker);
    /// It has not been heard of for a while: nothing new for it until it is again.
    void worker_silent(const WorkerId& worker, bool silent);
    /// WorkerReady: so many more tasks may be sent; the sum is capped at its slots. A worker that
    /// joined has none.
    void worker_credit(const WorkerId& worker, int more);
    /// The models of a heartbeat: all that it offers, and which are loaded.
    void worker_models(const WorkerId& worker, const std::vector<ModelOffer>& models);

    /// The next decision. To be called until there is none.
    [[nodiscard]] std::optional<Assignment> next(Instant now);
    /// When next() gave none: the moment from which it may give one even if no fact comes.
    [[nodiscard]] std::optional<Instant> ask_again() const;

    /// The assignment fell through before the worker heard of it: gives the credit back. The task
    /// is in line again at its old place if it is still ready, else forgotten.
    void assignment_failed(const TaskId& task, bool still_ready);
    /// The claim succeeded and the worker was told. `left`: the part of its work that is to be
    /// done, below 1 when it goes on from a checkpoint. Gives the seconds that it is expected to
    /// take; 0 for a task that is not known.
    double task_started(const TaskId& task, const WorkerId& worker, Instant now, double left = 1.0);
    /// A worker came back and goes on with it (TaskQueue::readopt). Takes no credit; its time is no
    /// lesson, as nobody knows when it began.
    void task_held(const ReadyTask& task, const WorkerId& worker, Instant now, WallTime wall);
    void task_progress(const TaskId& task, const TaskProgress& progress, Instant now);
    /// `seconds` on the worker, loading included. Gives no credit: the worker does.
    void task_ended(
        const TaskId& task, const WorkerId& worker, TaskOutcome outcome, double seconds, Instant now
    );

    /// Nothing when the task is neither ready nor running here.
    [[nodiscard]] std::optional<Outlook> outlook(const TaskId& task, Instant now) const;
    /// Of a job's tasks that are ready or running: the first start and the last finish. Tasks that
    /// wait for others are not known here, so it is a lower bound. Nothing when there are none.
    [[nodiscard]] std::optional<Outlook> outlook(const JobId& job, Instant now) const;
    /// Until all that is ready or running now is done, if every worker helped; as if there were
    /// one slot when there is none.
    [[nodiscard]] double backlog_seconds(Instant now) const;
    /// For a 429: when a tenth of the backlog will be gone. 1 s to 10 min.
    [[nodiscard]] Duration retry_after(Instant now) const;

    [[nodiscard]] std::size_t ready_tasks() const;
    [[nodiscard]] std::size_t running_tasks() const;
    /// The longest first.
    [[nodiscard]] std::vector<WaitingLine> waiting(Instant now) const;
    /// In the order of joining.
    [[nodiscard]] std::vector<WorkerView> workers() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tessera
