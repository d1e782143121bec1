#pragma once

#include "base/clock.h"
#include "base/entropy.h"
#include "worker/farm_transport.h"
#include "worker/task_runner.h"
#include "worker/task_slot.h"
#include "worker/worker_session.h"

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace tessera {

struct WorkerOptions {
    /// Its fields models, holds and fingerprint are filled in.
    WorkerHello identity;
    CheckpointPolicy checkpoints;
    /// A task that has not moved for this long, or ten times a step's expected time if that is
    /// longer, is given up with its process.
    Duration patience = std::chrono::seconds(60);
    Duration first_pause = std::chrono::milliseconds(100);  ///< before trying the server again
    Duration longest_pause = std::chrono::seconds(10);
    /// What is measured here is told to the server from time to time.
    std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
    /// What the log has for the server, asked for from time to time.
    std::function<std::vector<LogRecord>()> take_log = [] { return std::vector<LogRecord>(); };
    /// A line of a task's own log. Called on its thread.
    std::function<void(const AssignTask& task, const std::string& line)> on_task_log =
        [](const AssignTask&, const std::string&) {};
    /// One line of news for the person who runs it.
    std::function<void(const std::string&)> say;
    /// A task is stuck and was reported: the process cannot be trusted any more and must end here.
    std::function<void(const std::string&)> on_stuck;
};

/// One worker process: keeps the link, runs tasks in its slots, beats the heart from a thread of
/// its own, which no render and no disk blocks.
class Worker {
  public:
    Worker(
        WorkerOptions options,
        FarmTransport& transport,
        TaskObjects& objects,
        TaskRunner& runner,
        const Clock& clock,
        Entropy& entropy
    );
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Works until `drain` is requested and what runs has ended (success), or until the server
    /// refuses this worker for good (its reason). After `abandon` tasks are stopped where they are
    /// and given back; their checkpoints are with the server.
    [[nodiscard]] Status run(const std::stop_token& drain, const std::stop_token& abandon);

  private:
    struct Running {
        std::shared_ptr<TaskSlot> slot;
        std::jthread thread;
    };

    Status keep_link();
    bool connect_once(Error& why);
    void beat(const std::stop_token& stop);
    void look_at_models();
    void keep_looking(const std::stop_token& stop);
    void watch_stuck(std::unique_lock<std::mutex>& lock, Instant now);
    void report(Instant now);
    /// Does what the session says, in the order in which it says it: mutex_ is held.
    void act();
    void start(AssignTask task);
    void run_slot(const std::shared_ptr<TaskSlot>& slot);
    void give_back_all();
    void wake();

    WorkerOptions options_;
    FarmTransport& transport_;
    TaskObjects& objects_;
    TaskRunner& runner_;
    const Clock& clock_;
    Entropy& entropy_;

    std::mutex mutex_;  // guards all below
    std::condition_variable_any changed_;
    WorkerSession session_;
    std::shared_ptr<FarmLink> link_;
    std::uint64_t link_number_ = 0;
    bool link_up_ = false;
    std::optional<Error> refused_;
    bool abandoned_ = false;
    std::vector<ModelOffer> models_;
    bool told_too_many_ = false;
    Instant reported_;        ///< when it was last told what was measured and logged
    std::uint64_t news_ = 0;  ///< counts what the heart should look at
    std::map<std::pair<TaskId, Epoch>, Running> running_;
    std::vector<std::jthread> ended_;  ///< to be joined
};

}  // namespace tessera
