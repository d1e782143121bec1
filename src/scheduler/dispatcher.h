#pragma once

#include "base/clock.h"
#include "base/entropy.h"
#include "base/id.h"
#include "link/messages.h"
#include "queue/task_queue.h"
#include "scheduler/dispatch_metrics.h"
#include "scheduler/lost_claims.h"
#include "scheduler/scheduler.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

namespace tessera {

/// The way to a connected worker. Thread-safe; must not call back.
class WorkerLink {
  public:
    virtual ~WorkerLink() = default;
    /// False when it is closed or too much waits.
    virtual bool send(const ServerMessage& message) = 0;
    virtual void close(const std::string& reason) = 0;
};

/// One connection, for as long as the server runs.
using LinkId = std::uint64_t;

struct DispatcherOptions {
    SchedulerSettings scheduler;
    Duration lease = std::chrono::seconds(30);
    Duration heartbeat = std::chrono::seconds(5);
    /// A worker whose link broke may come back within this time and keep what it holds. One that
    /// crashed is told from one that was lost for some minutes longer, by what its successor says.
    Duration link_grace = std::chrono::milliseconds(500);
    /// Makes AssignTask::object_token.
    std::function<std::string(const Claim&)> object_token;
    /// Whether a result's object is in the store; without it, workers are believed. Must not block
    /// for long.
    std::function<bool(const std::string& sha256)> has_object;
    /// A picture in the making, as JPEG. Called on the dispatcher's thread; must not block.
    std::function<void(const Claim&, const TaskProgress&, const std::string& jpeg)> on_preview;
    /// One line for the log.
    std::function<void(const std::string&)> say;
    /// What a worker logs, with its name. Called on the dispatcher's thread; must not block for
    /// long. Nothing: it is dropped.
    std::function<void(LogRecord)> on_log;
    /// Where it counts, and what workers measure is added up.
    std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
};

/// A connected worker, for people.
struct ConnectedWorker {
    WorkerView view;
    std::string program;
    std::string metrics_address;  ///< see WorkerHello
    Instant since;
    Instant last_beat;
    std::uint64_t memory_bytes = 0;
    bool silent = false;  ///< its heartbeats are missing
    struct Task {
        TaskId id;
        TaskProgress progress;
        Instant since;
    };
    std::vector<Task> tasks;
    Duration busy{};  ///< of all its slots, what runs included
    std::size_t done = 0;
    std::size_t failed = 0;
    std::string last_error;
};

/// Where queue, scheduler and workers meet: hears of ready tasks, lets the scheduler choose,
/// claims, sends, renews leases by heartbeats, and passes on how tasks end.
///
/// All of it happens on one thread: the one that `start` makes, or in a simulation whoever calls
/// `step`. The other calls only leave a note for it.
class Dispatcher {
  public:
    /// Queue, clock and entropy must outlive it.
    Dispatcher(DispatcherOptions options, TaskQueue& queue, const Clock& clock, Entropy& entropy);
    ~Dispatcher();
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    void start();
    /// Hears and says nothing more; answers of the queue may still come until it is flushed. Links
    /// are closed with Goodbye. Done by the destructor too.
    void stop();
    /// Does all there is to do now. Gives when to come again at the latest.
    [[nodiscard]] Instant step();

    [[nodiscard]] LinkId link_opened(std::shared_ptr<WorkerLink> link);
    /// A link on which more waits than a worker has to say is closed, and what else comes from it
    /// is dropped.
    void link_message(LinkId link, WorkerMessage message);
    void link_closed(LinkId link);

    /// It gets no new tasks and leaves when it has none. kNotFound.
    [[nodiscard]] Status drain(const WorkerId& worker);
    [[nodiscard]] std::vector<ConnectedWorker> workers() const;
    /// See Scheduler.
    [[nodiscard]] std::vector<WaitingLine> waiting() const;
    /// Nothing when no task of the job is ready or running.
    [[nodiscard]] std::optional<Outlook> outlook(const JobId& job) const;
    [[nodiscard]] double backlog_seconds() const;
    [[nodiscard]] Duration retry_after() const;

  private:
    struct HeldByWorker {
        std::shared_ptr<const Claim> claim;
        TaskProgress progress;
        Instant since;
        Instant lease_ends;
        double expected_seconds = 0.0;  ///< 0: not known
        bool ended = false;             ///< reported, not settled yet
    };
    struct Worker {
        WorkerHello hello;
        LinkId link_id = 0;
        std::shared_ptr<WorkerLink> link;  ///< nullptr: broken, and it may come back
        Instant since;
        Instant last_beat;
        Instant gone_since;
        std::uint64_t memory_bytes = 0;
        bool silent = false;
        std::map<TaskId, HeldByWorker> held;
        /// What the queue gave back since it was last heard of.
        std::vector<LostClaim> taken;
        Duration busy{};  ///< by what has ended
        std::size_t done = 0;
        std::size_t failed = 0;
        std::string last_error;
    };
    struct LinkOpened {
        LinkId link;
        std::shared_ptr<WorkerLink> way;
    };
    struct LinkSaid {
        LinkId link;
        WorkerMessage message;
    };
    struct LinkFlooded {
        LinkId link;
    };
    struct LinkClosed {
        LinkId link;
    };
    struct Settled {
        WorkerId worker;
        TaskSettled answer;
    };
    struct DrainWorker {
        WorkerId worker;
    };
    using Note = std::
        variant<QueueEvent, LinkOpened, LinkSaid, LinkFlooded, LinkClosed, Settled, DrainWorker>;

    void leave(Note note);
    void read_notes();
    void handle(QueueEvent& event);
    void handle(LinkOpened& opened);
    void handle(LinkSaid& said);
    void handle(const LinkFlooded& flooded);
    void handle(const LinkClosed& closed);
    void handle(const Settled& settled);
    void handle(const DrainWorker& order);

    void hear(Worker& worker, WorkerReady& ready);
    void hear(Worker& worker, Heartbeat& beat);
    void hear(Worker& worker, TaskCheckpointed& kept);
    void hear(Worker& worker, TaskCompleted& done);
    void hear(Worker& worker, TaskFailed& failed);
    void hear(Worker& worker, MetricReport& report);
    void hear(Worker& worker, LogReport& report);
    void hear(Worker& worker, WorkerLeaving& leaving);
    void hear(Worker& worker, WorkerHello& hello);

    void welcome(LinkId link, WorkerHello hello);
    void bury_predecessor(const WorkerHello& hello);
    std::vector<HeldTask> readopt(Worker& worker, const std::vector<HeldTask>& holds);
    void lose(const WorkerId& id, const std::string& reason);
    /// Forgets a worker and gives what it has not ended, for the caller to tell the queue.
    std::vector<LostClaim> part_with(const WorkerId& id, const std::string& reason);
    /// False when it had ended already, or is held under another epoch.
    bool end_task(Worker& worker, const TaskId& task, Epoch epoch, TaskOutcome outcome);
    Done<void> settle(const Worker& worker, const TaskId& task, Epoch epoch);
    void check_workers();
    void assign_all();
    void assign(const Assignment& assignment);
    [[nodiscard]] Worker* find_holder(const TaskId& task);
    [[nodiscard]] AssignTask message_for(const Claim& claim) const;

    const DispatcherOptions options_;
    const DispatchMetrics metrics_;
    TaskQueue& queue_;
    const Clock& clock_;

    std::mutex inbox_mutex_;  // guards what follows, to next_link_
    std::condition_variable_any inbox_changed_;
    std::deque<Note> inbox_;
    std::unordered_map<LinkId, std::size_t> waiting_;  ///< messages in inbox_
    LinkId next_link_ = 1;

    mutable std::mutex mutex_;  // guards what follows; readers hold it shortly
    Scheduler scheduler_;
    std::map<LinkId, std::shared_ptr<WorkerLink>> strangers_;  ///< that have not said hello
    std::map<LinkId, WorkerId> links_;
    std::map<WorkerId, Worker> workers_;
    LostClaims lost_;
    Instant now_;

    std::shared_ptr<void> watch_;
    std::shared_ptr<void> measured_;
    std::jthread thread_;  // last: it uses the rest
};

}  // namespace tessera
