#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <thread>

namespace tessera::cli {

/// While it lives, the first SIGINT or SIGTERM asks for a stop. Make it before any other thread, so
/// that these signals are blocked in all of them and nothing runs inside a signal handler. One at a
/// time.
class Interrupt {
  public:
    /// A second signal ends the process at once.
    Interrupt();
    /// For services: a second signal asks for a hasty stop, a third one ends the process at once;
    /// SIGHUP calls `on_hangup` on a thread of its own.
    explicit Interrupt(std::function<void()> on_hangup);
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
    /// Requested by the second signal; never without `on_hangup`.
    [[nodiscard]] std::stop_token haste() const { return haste_.get_token(); }
    /// Asks for a stop as a signal would.
    void request_stop() { source_.request_stop(); }

  private:
    void wait_for_signals();

    const std::function<void()> on_hangup_;
    std::stop_source source_;
    std::stop_source haste_;
    std::atomic<bool> closing_{false};
    std::thread waiter_;
};

}  // namespace tessera::cli
