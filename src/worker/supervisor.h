#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera {

/// What a worker process exits with.
enum class WorkerExit : int {
    kLeft = 0,      ///< drained
    kFailed = 1,    ///< could not start: would fail again
    kWrongUse = 2,  ///< the same, by its command line or configuration
    kRefused = 77,  ///< the server does not want it
    kStuck = 86,    ///< gave up a task that did not move, and itself with it
};

/// What a worker process is started with.
struct ProcessStart {
    int number = 0;  ///< from 0
    WorkerId worker;
    /// The process that it replaces; empty for the first.
    WorkerId predecessor;
    /// Why that one ended, where it crashed: "signal 11 (Segmentation fault)".
    std::string crash;
};

struct SupervisorOptions {
    int processes = 1;
    /// The program and its arguments; its standard streams are those of the supervisor.
    std::function<std::vector<std::string>(const ProcessStart&)> command;
    /// Besides, or instead of, what the supervisor's own environment has.
    std::map<std::string, std::string> environment;
    std::function<WorkerId()> new_worker;
    std::function<void(const std::string&)> say;
    /// Short, so that the server hears how the predecessor ended while it still waits for it
    /// (DispatcherOptions::link_grace).
    Duration first_pause = std::chrono::milliseconds(50);
    Duration longest_pause = std::chrono::seconds(30);
    /// A process that lived so long starts without a pause when it ends.
    Duration steady_after = std::chrono::seconds(10);
    /// From draining to abandoning.
    Duration drain_timeout = std::chrono::hours(24);
    /// From abandoning to SIGKILL.
    Duration last_grace = std::chrono::seconds(5);
};

/// Keeps that many worker processes alive: one that ends is replaced, after a pause that doubles
/// while they end soon. Returns when `drain` was requested and all have left; `abandon` asks them
/// more loudly (a second SIGTERM) and then ends them. kUnavailable when the server refuses them,
/// kInternal when one cannot start at all.
[[nodiscard]] Status supervise(
    const SupervisorOptions& options, const std::stop_token& drain, const std::stop_token& abandon
);

}  // namespace tessera
