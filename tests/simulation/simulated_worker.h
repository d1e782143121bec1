#pragma once

#include "base/entropy.h"
#include "simulated_work.h"
#include "virtual_time.h"
#include "worker/worker_session.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace tessera::simulation {

/// The network between one worker and the server: whatever is sent arrives after a while, in order,
/// sometimes twice, until the connection breaks.
struct SimulatedNetwork {
    std::function<void(std::uint64_t connection, WorkerMessage)> to_server;
    /// Gives the connection's number, or nothing when the server cannot be reached.
    std::function<std::optional<std::uint64_t>(std::size_t worker)> dial;
    std::function<void(std::uint64_t connection)> hang_up;
};

/// A worker process: the real WorkerSession, with renders that take virtual time.
class SimulatedWorker {
  public:
    SimulatedWorker(
        std::size_t number, VirtualTime& time, Entropy& entropy, SimulatedNetwork network
    );

    /// Starts the first process.
    void start();
    /// SIGKILL, or a crash; another process takes its place after a while.
    void kill(bool crash);
    /// SIGSTOP for so long.
    void freeze(Duration duration);

    /// From the network.
    void receive(std::uint64_t connection, ServerMessage message);
    void lose_connection(std::uint64_t connection);

    [[nodiscard]] const WorkerId& id() const { return id_; }
    /// Its processes that ended so.
    [[nodiscard]] const std::set<WorkerId>& crashed() const { return crashed_; }
    [[nodiscard]] std::size_t completed() const { return completed_; }

  private:
    struct Running {
        AssignTask task;
        SimulatedRender render;
        TaskNature nature;
        int own_failures_so_far = 0;
        std::uint64_t life = 0;
    };

    void begin_process();
    void connect(std::uint64_t life);
    void act();
    void start_task(AssignTask task);
    void take_step(std::uint64_t life, TaskId task, Epoch epoch);
    void beat(std::uint64_t life);
    void wake_later(Duration delay, std::function<void()> what);
    [[nodiscard]] Duration chance_between(Duration least, Duration most);
    [[nodiscard]] bool alive(std::uint64_t life) const { return alive_ && life == life_; }

    const std::size_t number_;
    VirtualTime& time_;
    Entropy& entropy_;
    const SimulatedNetwork network_;

    std::uint64_t life_ = 0;  ///< counts processes
    bool alive_ = false;
    Instant frozen_until_;
    std::string crash_;
    std::set<WorkerId> crashed_;
    WorkerId id_;
    std::unique_ptr<WorkerSession> session_;
    std::optional<std::uint64_t> connection_;
    std::map<std::pair<TaskId, Epoch>, Running> running_;
    std::size_t completed_ = 0;
};

}  // namespace tessera::simulation
