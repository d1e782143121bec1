#pragma once

#include "queue/database_internal.h"
#include "queue/job_reader_internal.h"
#include "queue/job_writer_internal.h"
#include "queue/outbox.h"
#include "queue/reader_pool_internal.h"
#include "queue/sqlite_task_queue.h"
#include "queue/task_book.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tessera {

/// The parts of the queue and the one writer.
///
/// What must be durable waits as an Operation for the writer, which takes up to largest_batch of
/// them and, in one transaction of the book and of the database, applies each to the book and
/// writes what that changed. Only after the commit are the book's changes real, answers given and
/// events told. When anything fails, book and database go back to before, and all are told why.
class SqliteTaskQueue::Core {
  public:
    Core(
        SqliteQueueOptions options,
        const Clock& clock,
        Database database,
        JobWriter writer,
        JobReader reader,
        std::unique_ptr<TaskBook> book,
        std::uint32_t incarnation
    );
    ~Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    /// Asks for something durable. `apply` runs on the writer's thread within a transaction,
    /// perhaps more than once. `settled`: it needs this job not to be ending in that transaction.
    template <class T>
    void ask(
        std::function<Result<T>()> apply, Done<T> done, std::optional<JobId> settled = std::nullopt
    ) {
        auto result = std::make_shared<Result<T>>(tl::unexpected(Error{}));
        Operation operation;
        operation.apply = [result, apply = std::move(apply)] { *result = apply(); };
        operation.answer = [result, done = std::move(done)](const Status& committed) {
            if (!committed) {
                done(tl::unexpected(committed.error()));
            } else {
                done(std::move(*result));
            }
        };
        operation.settled = std::move(settled);
        push(std::move(operation));
    }

    // What is asked for, on the writer's thread.
    [[nodiscard]] Result<Enqueued> enqueue(
        JobRecord job, const std::string& plan, const std::string& body_hash, const Admission& admit
    );
    [[nodiscard]] Status complete(const TaskId& id, Epoch epoch, const TaskResult& result);
    [[nodiscard]] Status fail(const TaskId& id, Epoch epoch, const TaskFailure& failure);
    [[nodiscard]] Status cancel(const JobId& id);
    [[nodiscard]] Status retry(const JobId& id);
    [[nodiscard]] Status remove(const JobId& id);
    [[nodiscard]] Status lose_worker(const WorkerId& worker, const std::string& reason);
    [[nodiscard]] Status expire();

    /// At once, and its events told.
    template <class F>
    auto at_once(F act) {
        const std::lock_guard lock(mutex_);
        const bool had_unwritten = book_->has_unwritten();
        auto answer = act(*book_);
        outbox_.post(book_->take_events());
        if (!had_unwritten && book_->has_unwritten()) {
            wake_.notify_one();
        }
        return answer;
    }
    template <class F>
    auto look(F see) const {
        const std::lock_guard lock(mutex_);
        return see(std::as_const(*book_));
    }

    std::optional<Instant> tick();
    [[nodiscard]] std::shared_ptr<void> watch(std::function<void(const QueueEvent&)> listener);
    void flush();

    [[nodiscard]] const SqliteQueueOptions& options() const { return options_; }
    [[nodiscard]] const Clock& clock() const { return clock_; }
    [[nodiscard]] std::uint32_t incarnation() const { return incarnation_; }
    [[nodiscard]] ReaderPool& readers() const { return readers_; }

  private:
    struct Operation {
        std::function<void()> apply;
        std::function<void(const Status&)> answer;
        std::optional<JobId> settled;
        std::vector<QueueEvent> events;  ///< of its last application
    };
    using Batch = std::deque<Operation>;

    void push(Operation operation);
    void work();
    [[nodiscard]] Batch take_batch();
    void run(Batch batch);
    /// Moves as many of the batch as can go together to `tried`, and commits them in the database;
    /// the book's transaction stays open.
    [[nodiscard]] Status commit(Batch& batch, Batch& tried, std::vector<Change>& unwritten);
    /// Applies to the book, then writes what that changed.
    [[nodiscard]] Status apply(const std::function<Status(TaskBook&)>& act);
    [[nodiscard]] Status write(const std::vector<Change>& changes);
    template <class T>
    [[nodiscard]] Result<T> read(Result<T> result);

    SqliteQueueOptions options_;
    const Clock& clock_;
    std::uint32_t incarnation_;
    mutable ReaderPool readers_;
    Outbox outbox_;

    // The writer's alone.
    Database database_;
    JobWriter writer_;
    JobReader reader_;
    Status broken_;  ///< why the transaction that is open cannot be committed
    std::vector<QueueEvent> events_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::unique_ptr<TaskBook> book_;
    Batch pending_;
    bool is_closing_ = false;
    bool is_expiring_ = false;

    std::thread thread_;
};

}  // namespace tessera
