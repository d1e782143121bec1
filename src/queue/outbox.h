#pragma once

#include "queue/task_queue.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tessera {

/// Answers and events on their way out, in the order in which they were posted. Delivered by a
/// thread of its own, so that nobody who listens holds up the queue; or, without one, by whoever
/// calls `deliver`. Thread-safe.
class Outbox {
  public:
    explicit Outbox(bool has_thread);
    ~Outbox() { close(); }
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    void post(std::function<void()> answer);
    void post(std::vector<QueueEvent> events);
    /// Hears `first`, and then all that is posted after this call. Dropping the handle waits for a
    /// call that is being made, unless it is dropped by that call.
    [[nodiscard]] std::shared_ptr<void> watch(
        std::function<void(const QueueEvent&)> listener, std::vector<QueueEvent> first
    );
    void deliver();
    /// With a thread: delivers what is left, and ends it.
    void close();

  private:
    struct Listener {
        std::function<void(const QueueEvent&)> hear;
        std::recursive_mutex calling;
        std::atomic<bool> is_over = false;
    };
    using Listeners = std::vector<std::shared_ptr<Listener>>;
    struct Item {
        std::function<void()> answer;
        QueueEvent event;
        std::shared_ptr<const Listeners> listeners;
    };

    void work();
    void forget_those_gone();
    static void deliver(const Item& item);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Item> items_;
    std::shared_ptr<const Listeners> listeners_ = std::make_shared<const Listeners>();
    bool is_closing_ = false;
    std::thread thread_;
};

}  // namespace tessera
