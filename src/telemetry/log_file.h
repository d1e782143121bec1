#pragma once

#include "base/result.h"
#include "telemetry/log.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tessera {

/// Which records are wanted; empty: any.
struct LogQuery {
    std::string job;
    std::string worker;
    LogLevel least = LogLevel::kDebug;
    /// Later than this, as iso_time writes it.
    std::string after;
    std::size_t limit = 1000;
};

/// A folder of log files, one record in a line of JSON. The newest is farm.jsonl; full ones are
/// moved aside, the oldest goes. A record is with the system soon after it was written, and not on
/// the disk before the system sees fit. Thread-safe.
class LogFile {
  public:
    /// Makes the folder. `bytes` is about what one file holds, `files` how many there are beside
    /// the newest.
    [[nodiscard]] static Result<std::unique_ptr<LogFile>> open(
        const std::filesystem::path& folder, std::uint64_t bytes = 16U << 20U, std::size_t files = 4
    );
    ~LogFile();
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    /// What cannot be written (the disk is full) is dropped, and their number told afterwards.
    void write(const LogRecord& record);
    /// The newest that fit, the oldest of them first, as lines of JSON. Reads files: slow.
    [[nodiscard]] std::vector<std::string> read(const LogQuery& query) const;

  private:
    struct State;
    explicit LogFile(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace tessera
