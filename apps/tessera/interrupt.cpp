#include "tessera/interrupt.h"

#include "tessera/exit_code.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

namespace tessera::cli {
namespace {

sigset_t heard_signals(bool hangup) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    if (hangup) {
        sigaddset(&signals, SIGHUP);
    }
    return signals;
}

}  // namespace

Interrupt::Interrupt() : Interrupt(std::function<void()>()) {}

Interrupt::Interrupt(std::function<void()> on_hangup) : on_hangup_(std::move(on_hangup)) {
    const sigset_t signals = heard_signals(static_cast<bool>(on_hangup_));
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    waiter_ = std::thread([this] { wait_for_signals(); });
}

Interrupt::~Interrupt() {
    closing_ = true;
    pthread_kill(waiter_.native_handle(), SIGINT);
    waiter_.join();
    const sigset_t signals = heard_signals(static_cast<bool>(on_hangup_));
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void Interrupt::wait_for_signals() {
    const sigset_t signals = heard_signals(static_cast<bool>(on_hangup_));
    while (true) {
        int signal = 0;
        if (sigwait(&signals, &signal) != 0 || closing_) {
            return;
        }
        if (signal == SIGHUP) {
            on_hangup_();
        } else if (!source_.request_stop() && !(on_hangup_ && haste_.request_stop())) {
            // The line of a progress bar may be on the screen.
            if (::isatty(STDERR_FILENO) == 1) {
                [[maybe_unused]] const auto written = ::write(STDERR_FILENO, "\r\x1b[K", 4);
            }
            ::_exit(static_cast<int>(ExitCode::kInterrupted));
        }
    }
}

}  // namespace tessera::cli
