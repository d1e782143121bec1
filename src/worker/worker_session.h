#pragma once

#include "base/clock.h"
#include "link/messages.h"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tessera {

/// What the session wants done, in order.
struct SendToServer {
    WorkerMessage message;
};
struct StartTask {
    AssignTask task;
};
/// What runs is not wanted any more; nothing is told of how it ends.
struct StopTask {
    TaskId task;
    Epoch epoch;
};
/// The server refuses this worker; `retry` as in Goodbye.
struct LeaveFarm {
    std::string reason;
    bool retry = true;
};
using WorkerAction = std::variant<SendToServer, StartTask, StopTask, LeaveFarm>;

/// A worker's side of the link, as a state machine: it is told what happens and says what to do.
/// No threads, no clock, no network, so that a simulation can run thousands. What ran when the link
/// broke runs on; what ended meanwhile is told again until the server has settled it. While more
/// results wait for that than there are slots, it takes no more tasks.
class WorkerSession {
  public:
    explicit WorkerSession(WorkerHello identity) : identity_(std::move(identity)) {}

    /// The link is open: says hello.
    void connected(std::vector<ModelOffer> models);
    void disconnected();
    void received(ServerMessage message, Instant now);

    /// Facts of running tasks; of others they are ignored.
    void progressed(const TaskId& task, Epoch epoch, TaskProgress progress);
    void previewed(const TaskId& task, Epoch epoch, std::string jpeg);
    void checkpointed(const TaskId& task, Epoch epoch, TaskCheckpoint checkpoint);
    void completed(const TaskId& task, Epoch epoch, TaskResult result);
    void failed(const TaskId& task, Epoch epoch, TaskFailure failure);

    /// While there is a link; without one it is forgotten.
    void measured(std::vector<MetricChange> changes);
    void logged(std::vector<LogRecord> records);  ///< the same

    /// No more tasks from now on.
    void drain();

    /// Heartbeats that are due. Gives when to come again; nothing while there is no link.
    std::optional<Instant> tick(
        Instant now, std::uint64_t memory_bytes, std::vector<ModelOffer> models
    );

    [[nodiscard]] std::vector<WorkerAction> take_actions();

    [[nodiscard]] bool linked() const { return linked_; }
    [[nodiscard]] bool draining() const { return draining_; }
    /// Holds nothing, and nothing waits to be settled.
    [[nodiscard]] bool idle() const { return tasks_.empty(); }
    [[nodiscard]] int running() const;

  private:
    struct Held {
        Epoch epoch;
        TaskProgress progress;
        std::string preview;  ///< that was not sent yet
        bool news = false;
        /// Set once it has ended: told until it is settled.
        std::optional<WorkerMessage> end;
        Instant told;  ///< when it was last told; the start of time: not known
    };

    void welcome(const ServerHello& hello, Instant now);
    void assign(AssignTask task);
    void obey(const TaskId& task, Epoch epoch);
    void end(const TaskId& task, Epoch epoch, WorkerMessage message);
    void tell_end(Held& held, Instant now);
    void offer_slots();
    /// In as many messages as are needed.
    template <class Report, class Part>
    void report(std::vector<Part> parts, std::size_t most, std::vector<Part> Report::*list);
    [[nodiscard]] Held* find(const TaskId& task, Epoch epoch);
    void send(WorkerMessage message);

    WorkerHello identity_;
    std::map<TaskId, Held> tasks_;
    std::vector<WorkerAction> actions_;
    bool linked_ = false;  ///< and welcomed
    bool draining_ = false;
    int offered_ = 0;  ///< slots that the server may still fill
    Duration heartbeat_{};
    Instant next_heartbeat_;
    Instant last_beat_;
    std::uint64_t beats_ = 0;
};

}  // namespace tessera
