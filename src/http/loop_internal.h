#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace tessera::http {

using SteadyTime = std::chrono::steady_clock::time_point;

/// What lives on a loop: a connection or a WebSocket. All calls come from the loop's thread.
class Session {
  public:
    virtual ~Session() = default;
    /// Called a few times in each of the server's timeouts.
    virtual void tick(SteadyTime now) = 0;
    /// End as soon as what is under way is finished.
    virtual void drain() = 0;
    /// End now: leave the loop.
    virtual void close() = 0;
};

/// One thread of the network's with the sessions it serves. A session is touched by this thread
/// alone, so none needs a lock; other threads `post`. Others may hold a loop longer than its thread
/// lives: then `post` does nothing.
class Loop {
  public:
    explicit Loop(std::chrono::milliseconds tick);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Runs it on the loop's thread, later; drops it after `shut`. Thread-safe.
    void post(std::function<void()> task);
    /// Ends every session when what it has under way is finished. Thread-safe.
    void drain();
    /// Closes the sessions, ends the thread. Not from the loop's own thread.
    void shut();
    /// Waits until no session is left, or the time has come.
    [[nodiscard]] bool wait_until_empty(SteadyTime until);

    // From the loop's thread, or before the loop is known to others:
    [[nodiscard]] boost::asio::io_context& context() { return *context_; }
    void add(std::shared_ptr<Session> session);
    void remove(Session& session);

  private:
    void schedule_tick();

    const std::chrono::milliseconds tick_;
    std::mutex mutex_;  ///< of is_open_ and size_
    std::condition_variable has_shrunk_;
    bool is_open_ = true;
    std::size_t size_ = 0;
    bool is_draining_ = false;
    std::unique_ptr<boost::asio::io_context> context_;
    std::unordered_map<Session*, std::shared_ptr<Session>> sessions_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::unique_ptr<boost::asio::steady_timer> timer_;
    std::thread thread_;
};

}  // namespace tessera::http
