#pragma once

#include "base/result.h"
#include "config/config.h"
#include "tessera/farm_connection.h"
#include "worker/supervisor.h"
#include "worker/task_slot.h"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera::cli {

/// How this machine works for a farm.
struct WorkerSetup {
    FarmAddress farm;
    int processes = 1;
    int slots = 1;                  ///< of each process
    int threads = 0;                ///< of each process; 0: the cores divided among the processes
    std::uint64_t model_bytes = 0;  ///< of each process; 0: half of the machine's memory, divided
    std::string node;               ///< empty: the machine's name
    CheckpointPolicy checkpoints;
    Duration patience = std::chrono::seconds(60);
    Duration drain_timeout = std::chrono::minutes(10);
    LogConfig log;
    std::string metrics_listen;
    int metrics_port = 0;  ///< of the first process; 0: none
};

/// The environment variable that holds the key, which must not stand on a command line.
inline constexpr const char* kWorkerKeyVariable = "TESSERA_KEY";

/// Keeps the worker processes of this machine; see supervise.
[[nodiscard]] Status run_workers(
    const WorkerSetup& setup,
    const std::function<void(const std::string&)>& say,
    const std::stop_token& drain,
    const std::stop_token& abandon
);

/// What one of them is.
struct WorkerProcess {
    std::string worker;
    int number = 0;      ///< of its place, from 0
    int supervisor = 0;  ///< the process without which it does not live on
    std::string predecessor;
    std::string crash;
};

/// The life of one worker process.
[[nodiscard]] WorkerExit run_worker_process(
    const WorkerSetup& setup,
    const WorkerProcess& process,
    const std::stop_token& drain,
    const std::stop_token& abandon
);

/// The command line on which the program is such a process of this one.
[[nodiscard]] std::vector<std::string> worker_command(
    const WorkerSetup& setup, const ProcessStart& start
);

}  // namespace tessera::cli
