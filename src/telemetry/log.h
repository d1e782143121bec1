#pragma once

#include "base/clock.h"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

/// "debug", "info", "warning", "error".
[[nodiscard]] std::string_view to_string(LogLevel level);
[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view text);

/// What happened, and to what. Empty ids: to none.
struct LogRecord {
    WallTime time;
    LogLevel level = LogLevel::kInfo;
    std::string message;  ///< one sentence for a person
    std::string job;
    std::string task;
    std::string worker;
    std::string trace;

    bool operator==(const LogRecord&) const = default;
};

/// One line of JSON without its end: time, level, message and those ids that there are. Bytes that
/// are no UTF-8 are replaced.
[[nodiscard]] std::string to_json(const LogRecord& record);
/// The record of such a line; nothing where it is none.
[[nodiscard]] std::optional<LogRecord> parse_log_record(std::string_view json);
/// "17:20:03.123 warning  a sentence  task=01kb….3 worker=w1". Control characters are escaped, so
/// that a line is one line and commands no terminal.
[[nodiscard]] std::string to_line(const LogRecord& record);

/// Without API keys and the like: "tsr_…", and what follows "Bearer" and "Basic".
[[nodiscard]] std::string without_secrets(std::string text);
/// Without these words, as "[hidden]": what a person wrote in private. Those shorter than 3 bytes
/// stay, as they could be anything.
[[nodiscard]] std::string without_words(std::string text, std::span<const std::string> words);

/// Takes records and passes them on, without secrets. Thread-safe.
class Log {
  public:
    using Sink = std::function<void(const LogRecord&)>;

    explicit Log(const Clock& clock, LogLevel least = LogLevel::kInfo)
        : clock_(clock), least_(least) {}

    /// From now on it is given everything that is at least so important, one record at a time.
    void add(Sink sink);
    /// The record's time, where it has none, is now.
    void write(LogRecord record);
    void write(LogLevel level, std::string message);

  private:
    const Clock& clock_;
    const LogLevel least_;
    std::mutex mutex_;  // guards sinks_, and is held while they are called
    std::vector<Sink> sinks_;
};

}  // namespace tessera
