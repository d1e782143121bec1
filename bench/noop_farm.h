#pragma once

#include "api/api.h"
#include "events/job_traces.h"
#include "events/queue_events.h"
#include "events/queue_metrics.h"
#include "queue/sqlite_task_queue.h"
#include "storage/folder_store.h"
#include "tessera/farm_connection.h"
#include "worker/worker.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace tessera::bench {

/// A renderer that takes a fixed time and always gives the same picture, to measure everything
/// else. Times how long each free slot waited for its next task.
class NoopRunner final : public TaskRunner {
  public:
    explicit NoopRunner(std::chrono::microseconds takes) : takes_(takes) {}

    Result<TaskResult> run(
        const AssignTask& task, TaskContext& context, const std::stop_token& stop
    ) override;
    std::vector<ModelOffer> models() const override { return {{"noop", true}}; }
    std::string fingerprint() const override { return "noop"; }

    [[nodiscard]] std::vector<double> waits_in_milliseconds() const;

  private:
    using Time = std::chrono::steady_clock::time_point;

    const std::chrono::microseconds takes_;
    mutable std::mutex mutex_;
    std::optional<ObjectRef> picture_;
    std::deque<Time> free_slots_;
    std::vector<double> waits_;
};

/// The farm as `tessera serve` puts it together, in this process: SQLite and folder at full
/// durability, HTTP on loopback, a worker on a WebSocket; only the renderer and the list of models
/// are doubles.
class NoopFarm {
  public:
    explicit NoopFarm(const std::filesystem::path& folder);
    ~NoopFarm();
    NoopFarm(const NoopFarm&) = delete;
    NoopFarm& operator=(const NoopFarm&) = delete;

    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::uint16_t port() const { return server_->port(); }
    /// Starts the worker; the runner must outlive the farm.
    void work(NoopRunner& runner, int slots);
    /// Until so many jobs have ended.
    void wait_for_ended(std::size_t jobs) const;

  private:
    class Models;

    std::unique_ptr<api::Catalog> models_;
    std::unique_ptr<SqliteTaskQueue> queue_;
    std::unique_ptr<FolderStore> store_;
    std::unique_ptr<api::KeyRing> keys_;
    EventBus bus_;
    std::unique_ptr<QueueEvents> events_;
    std::shared_ptr<Metrics> metrics_ = std::make_shared<Metrics>();
    std::unique_ptr<QueueMetrics> queue_metrics_;
    std::shared_ptr<JobTraces> traces_ =
        std::make_shared<JobTraces>(Clock::system(), std::vector<JobView>());
    std::shared_ptr<void> events_watch_;
    std::atomic<std::size_t> ended_ = 0;
    std::shared_ptr<void> ended_watch_;
    std::unique_ptr<Dispatcher> dispatcher_;
    std::unique_ptr<api::SubmissionDesk> desk_;
    std::unique_ptr<http::Server> server_;
    std::stop_source drain_;
    std::stop_source abandon_;
    std::jthread worker_;
};

/// One picture, as JSON.
[[nodiscard]] std::string noop_job();

}  // namespace tessera::bench
