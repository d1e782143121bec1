#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace tessera::cli {

/// While it lives, the first SIGINT or SIGTERM asks for a stop, and a second one ends the process
/// at once. Make it before any other thread, so that these signals are blocked in all of them and
/// nothing runs inside a signal handler. One at a time.
class Interrupt {
  public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

  private:
    void wait_for_signals();

    std::stop_source source_;
    std::atomic<bool> closing_{false};
    std::thread waiter_;
};

}  // namespace tessera::cli
