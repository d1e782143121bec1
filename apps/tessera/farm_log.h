#pragma once

#include "config/config.h"
#include "job/job_spec.h"
#include "telemetry/log.h"

#include <memory>
#include <string>
#include <vector>

namespace tessera::cli {

/// The log of a server or a worker process, written to standard error as the configuration wants.
[[nodiscard]] std::unique_ptr<Log> open_log(const LogConfig& config);

/// The newest records that were not taken yet; when more come than are taken, the oldest go.
/// Thread-safe.
class LogMailbox {
  public:
    void put(const LogRecord& record);
    [[nodiscard]] std::vector<LogRecord> take();

  private:
    std::mutex mutex_;  // guards what follows
    std::vector<LogRecord> records_;
    std::size_t dropped_ = 0;
};

}  // namespace tessera::cli
