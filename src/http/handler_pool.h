#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tessera::http {

/// The threads on which handlers run. Thread-safe.
class HandlerPool {
  public:
    explicit HandlerPool(int threads);
    ~HandlerPool();
    HandlerPool(const HandlerPool&) = delete;
    HandlerPool& operator=(const HandlerPool&) = delete;

    /// Runs it soon. Dropped when the pool is shut.
    void post(std::function<void()> task);
    /// Runs what is queued, then ends the threads. Not from one of them.
    void shut();

  private:
    void run();

    std::mutex mutex_;
    std::condition_variable has_work_;
    std::deque<std::function<void()>> tasks_;
    bool is_shut_ = false;
    std::vector<std::thread> threads_;
};

/// Tasks of one owner, on the pool's threads, but one at a time and in order. Thread-safe.
class TaskChain : public std::enable_shared_from_this<TaskChain> {
  public:
    explicit TaskChain(std::shared_ptr<HandlerPool> pool) : pool_(std::move(pool)) {}
    void post(std::function<void()> task);

  private:
    void run_next();

    const std::shared_ptr<HandlerPool> pool_;
    std::mutex mutex_;
    std::deque<std::function<void()>> tasks_;
    bool is_running_ = false;
};

}  // namespace tessera::http
