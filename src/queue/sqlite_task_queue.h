#pragma once

#include "base/clock.h"
#include "base/entropy.h"
#include "queue/task_queue.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tessera {

struct SqliteQueueOptions {
    /// The database; PATH.owner, PATH-wal and PATH-shm stand beside it. On a local disk.
    std::filesystem::path path;
    RetryPolicy retry;
    /// How long those that worked when the last server ended have to be heard of.
    Duration grace = std::chrono::seconds(30);
    /// Threads for writing and for answering. Without them nothing is written or answered until
    /// `flush`, which does it on the calling thread, and destroying the queue is like a crash: what
    /// was not flushed is forgotten, and unanswered. For simulations.
    bool background = true;
    /// Operations that are committed together at most.
    std::size_t largest_batch = 256;
    /// The longest that claims and checkpoints wait for a commit to go with.
    Duration longest_unwritten = std::chrono::milliseconds(100);
    /// Pages in the write-ahead log from which on it is copied into the database.
    int checkpoint_pages = 2000;
    /// SQLite's way to the disk, by its registered name; empty: its own.
    std::string vfs;
};

/// TaskQueue in one SQLite file that this process alone owns: live jobs in memory (TaskBook), every
/// change through one writer with group commit. See docs/queue.md.
class SqliteTaskQueue final : public TaskQueue {
  public:
    /// kConflict when another process owns the file, kCorrupt when it is damaged, kUnsupported when
    /// it is something else's or a newer Tessera's. Reads all of the file to check it. `clock` and
    /// `entropy` must outlive the queue.
    [[nodiscard]] static Result<std::unique_ptr<SqliteTaskQueue>> open(
        SqliteQueueOptions options, const Clock& clock, Entropy& entropy
    );
    /// With threads: answers all that was asked, then closes.
    ~SqliteTaskQueue() override;

    using TaskQueue::enqueue;
    void enqueue(JobId id, JobPlan plan, Done<Enqueued> done, Admission admit) override;
    [[nodiscard]] Result<Claim> claim(const TaskId& task, const WorkerId& worker, Duration lease)
        override;
    [[nodiscard]] Result<Claim> readopt(
        const TaskId& task, Epoch epoch, const WorkerId& worker, Duration lease
    ) override;
    [[nodiscard]] RenewAnswer renew(const Renewal& renewal, Duration lease) override;
    [[nodiscard]] Status checkpoint(const TaskId& task, Epoch epoch, TaskCheckpoint checkpoint)
        override;
    void complete(const TaskId& task, Epoch epoch, TaskResult result, Done<void> done) override;
    void fail(const TaskId& task, Epoch epoch, TaskFailure failure, Done<void> done) override;
    void lose_worker(const WorkerId& worker, const std::string& reason) override;
    void cancel(const JobId& job, Done<void> done) override;
    void retry(const JobId& job, Done<void> done) override;
    void remove(const JobId& job, Done<void> done) override;
    std::optional<Instant> tick() override;
    [[nodiscard]] std::shared_ptr<void> watch(std::function<void(const QueueEvent&)> listener
    ) override;
    [[nodiscard]] Result<JobView> job(const JobId& id) const override;
    [[nodiscard]] Result<std::vector<JobView>> jobs(const JobFilter& filter) const override;
    [[nodiscard]] Result<std::vector<FailedAttempt>> failures(const TaskId& task) const override;
    [[nodiscard]] Result<std::vector<JobId>> ended_before(WallTime time, int limit) const override;
    [[nodiscard]] QueueCounts counts(const std::string& tenant) const override;
    [[nodiscard]] Result<std::vector<std::string>> referenced_objects() const override;
    [[nodiscard]] std::uint32_t incarnation() const override;
    void flush() override;

    /// A copy as of now, made while the queue works; see backup.h.
    [[nodiscard]] Status backup_to(const std::filesystem::path& path) const;

  private:
    class Core;
    explicit SqliteTaskQueue(std::unique_ptr<Core> core);
    std::unique_ptr<Core> core_;
};

}  // namespace tessera
