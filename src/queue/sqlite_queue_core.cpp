// The writer: batches, transactions, answers.
#include "queue/sqlite_queue_core_internal.h"

#include <algorithm>
#include <future>
#include <iterator>

namespace tessera {

SqliteTaskQueue::Core::Core(
    SqliteQueueOptions options,
    const Clock& clock,
    Database database,
    JobWriter writer,
    JobReader reader,
    std::unique_ptr<TaskBook> book,
    std::uint32_t incarnation
)
    : options_(std::move(options)),
      clock_(clock),
      incarnation_(incarnation),
      readers_(options_.path, options_.vfs),
      outbox_(options_.background),
      database_(std::move(database)),
      writer_(std::move(writer)),
      reader_(std::move(reader)),
      book_(std::move(book)) {
    if (options_.background) {
        thread_ = std::thread([this] { work(); });
    }
}

SqliteTaskQueue::Core::~Core() {
    {
        const std::lock_guard lock(mutex_);
        is_closing_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
    outbox_.close();
}

void SqliteTaskQueue::Core::push(Operation operation) {
    {
        const std::lock_guard lock(mutex_);
        pending_.push_back(std::move(operation));
    }
    wake_.notify_one();
}

void SqliteTaskQueue::Core::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        const auto is_asked = [this] { return is_closing_ || !pending_.empty(); };
        if (book_->has_unwritten()) {
            wake_.wait_for(lock, options_.longest_unwritten, is_asked);
        } else {
            wake_.wait(lock, [&] { return is_asked() || book_->has_unwritten(); });
            if (!is_asked()) {
                continue;  // a claim alone: something to commit it with may come
            }
        }
        const bool is_last = is_closing_ && pending_.empty();
        Batch batch = take_batch();
        lock.unlock();
        run(std::move(batch));
        lock.lock();
        if (is_last && pending_.empty()) {
            return;
        }
    }
}

SqliteTaskQueue::Core::Batch SqliteTaskQueue::Core::take_batch() {
    Batch batch;
    if (pending_.size() <= options_.largest_batch) {
        batch.swap(pending_);
    } else {
        const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(options_.largest_batch);
        std::move(pending_.begin(), end, std::back_inserter(batch));
        pending_.erase(pending_.begin(), end);
    }
    return batch;
}

void SqliteTaskQueue::Core::run(Batch batch) {
    do {
        Batch tried;
        std::vector<Change> unwritten;
        const Status status = commit(batch, tried, unwritten);
        std::unique_lock lock(mutex_);
        if (status) {
            book_->commit();
        } else {
            book_->roll_back();
            book_->put_back(unwritten);
        }
        const bool is_one_bad =
            !status && tried.size() > 1 && status.error().kind != ErrorKind::kUnavailable;
        if (is_one_bad) {
            // The others need not fail with what cannot be written.
            lock.unlock();
            for (Operation& operation : tried) {
                Batch alone;
                alone.push_back(std::move(operation));
                run(std::move(alone));
            }
            continue;
        }
        for (Operation& operation : tried) {
            outbox_.post([status, answer = std::move(operation.answer)] { answer(status); });
            if (status) {
                outbox_.post(std::move(operation.events));
            }
        }
        outbox_.post(book_->take_events());
    } while (!batch.empty());
}

Status SqliteTaskQueue::Core::commit(Batch& batch, Batch& tried, std::vector<Change>& unwritten) {
    broken_ = {};
    {
        const std::lock_guard lock(mutex_);
        book_->begin();
    }
    Status status = database_.begin(!batch.empty());
    while (status && !batch.empty()) {
        const auto& settled = batch.front().settled;
        if (settled && !tried.empty() &&
            look([&](const TaskBook& book) { return book.is_ending(*settled); })) {
            break;
        }
        tried.push_back(std::move(batch.front()));
        batch.pop_front();
        tried.back().apply();
        tried.back().events = std::exchange(events_, {});
        status = broken_;
    }
    if (status) {
        {
            const std::lock_guard lock(mutex_);
            unwritten = book_->take_unwritten();
        }
        status = write(unwritten);
    }
    if (status) {
        status = database_.commit();
    }
    if (!status) {
        database_.roll_back();
        // What was not tried would fail in the same way.
        std::move(batch.begin(), batch.end(), std::back_inserter(tried));
        batch.clear();
    }
    return status;
}

Status SqliteTaskQueue::Core::apply(const std::function<Status(TaskBook&)>& act) {
    std::vector<Change> changes;
    {
        const std::lock_guard lock(mutex_);
        Status status = act(*book_);
        if (!status) {
            return status;
        }
        changes = book_->take_changes();
        std::ranges::move(book_->take_events(), std::back_inserter(events_));
    }
    broken_ = write(changes);
    return broken_;
}

Status SqliteTaskQueue::Core::write(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
        TESSERA_TRY(writer_.write(change));
    }
    return {};
}

std::optional<Instant> SqliteTaskQueue::Core::tick() {
    static constexpr Duration kAgain = std::chrono::milliseconds(100);
    const auto [next, is_due] = at_once([this](TaskBook& book) {
        const bool has_work = book.wake();
        auto moment = book.next_moment();
        if (moment && *moment <= clock_.now()) {
            moment = clock_.now() + kAgain;  // being written
        }
        return std::pair(moment, has_work && !std::exchange(is_expiring_, has_work));
    });
    if (is_due) {
        ask<void>(
            [this] { return expire(); },
            [this](const Status& /*done*/) {
                const std::lock_guard lock(mutex_);
                is_expiring_ = false;
            }
        );
    }
    return next;
}

std::shared_ptr<void> SqliteTaskQueue::Core::watch(std::function<void(const QueueEvent&)> listener
) {
    const std::lock_guard lock(mutex_);
    return outbox_.watch(std::move(listener), book_->ready_events());
}

void SqliteTaskQueue::Core::flush() {
    if (options_.background) {
        std::promise<void> answered;
        ask<void>([] { return Status(); }, [&](const Status& /*done*/) { answered.set_value(); });
        answered.get_future().wait();
        return;
    }
    do {
        run(take_batch());
        outbox_.deliver();
    } while (!pending_.empty());
}

}  // namespace tessera
