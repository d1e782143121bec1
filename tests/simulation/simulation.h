#pragma once

#include "base/entropy.h"
#include "queue/sqlite_task_queue.h"
#include "scheduler/dispatcher.h"
#include "simulated_worker.h"
#include "virtual_time.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tessera::simulation {

struct SimulationPlan {
    std::uint64_t seed = 1;
    int tasks = 200;  ///< about
    std::filesystem::path folder;
    bool verbose = false;
};

/// What a run has seen.
struct SimulationReport {
    std::size_t jobs = 0;
    std::size_t tasks = 0;
    std::size_t worker_kills = 0;
    std::size_t crashes = 0;  ///< of those, blamed on what the process held
    std::size_t freezes = 0;
    std::size_t partitions = 0;
    std::size_t server_kills = 0;
    std::size_t duplicates = 0;
    std::size_t clock_jumps = 0;
    std::size_t renders = 0;  ///< that came to an end, committed or not
    /// Broken promises, one sentence each; empty: all were kept.
    std::vector<std::string> broken;
};

/// One farm in virtual time: the real queue, dispatcher, scheduler and worker sessions, with
/// simulated renders, network and deaths. Equal plans give equal runs. For a while everything fails
/// now and then; then nothing does any more, and all that was accepted must come to its end.
class Simulation {
  public:
    explicit Simulation(SimulationPlan plan);
    ~Simulation();

    [[nodiscard]] SimulationReport run();

  private:
    class Link;
    struct Connection {
        std::size_t worker = 0;
        LinkId link = 0;
        std::uint64_t server_life = 0;
        Instant last_to_server;
        Instant last_to_worker;
    };
    struct Submission {
        JobSpec spec;
        JobId id;
        bool acknowledged = false;
        bool cancelled = false;  ///< asked for, and acknowledged
    };

    void start_server();
    void kill_server();
    void step_server();
    void flush_soon();
    void hear(const QueueEvent& event);

    std::optional<std::uint64_t> dial(std::size_t worker);
    void to_server(std::uint64_t connection, WorkerMessage message);
    void to_worker(std::uint64_t connection, ServerMessage message);
    void hang_up(std::uint64_t connection);

    void submit(std::size_t number);
    void cancel_some();
    void misfortune();
    void check_end();
    void check_job(const Submission& submission);
    /// No task is blamed for more than its own failures and the crashes of those that had claimed
    /// it: of a crash nobody knows whether the task had arrived.
    void check_blame(const JobView& job);
    void broken(std::string what);
    [[nodiscard]] Duration some_time(Duration most);

    const SimulationPlan plan_;
    SeededEntropy entropy_;
    SeededEntropy queue_entropy_;
    VirtualTime time_;
    SimulationReport report_;

    std::uint64_t server_life_ = 0;
    std::unique_ptr<SqliteTaskQueue> queue_;
    std::unique_ptr<Dispatcher> dispatcher_;
    std::shared_ptr<void> watch_;
    bool flush_planned_ = false;
    bool step_planned_ = false;
    Instant partition_ends_;

    std::vector<std::unique_ptr<SimulatedWorker>> workers_;
    std::map<std::uint64_t, Connection> connections_;
    std::uint64_t next_connection_ = 1;

    std::vector<Submission> submissions_;
    std::map<JobId, std::size_t> by_id_;
    std::map<TaskId, ObjectRef> delivered_;
    std::map<TaskId, std::pair<Epoch, WorkerId>> claimed_;
    std::map<TaskId, std::map<Epoch, WorkerId>> given_;
    bool calm_ = false;
};

}  // namespace tessera::simulation
