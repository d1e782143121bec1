#include "tessera/farm_log.h"

#include "link/messages.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace tessera::cli {
namespace {

constexpr std::size_t kMostKept = 512;

}  // namespace

std::unique_ptr<Log> open_log(const LogConfig& config) {
    auto log = std::make_unique<Log>(
        Clock::system(), parse_log_level(config.level).value_or(LogLevel::kInfo)
    );
    const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
    const bool is_json = config.format == "json" || (config.format == "auto" && !is_terminal);
    log->add([is_json](const LogRecord& record) {
        // One call, so that lines of several processes do not mix.
        const std::string line = (is_json ? to_json(record) : to_line(record)) + "\n";
        (void)std::fwrite(line.data(), 1, line.size(), stderr);
    });
    return log;
}

void LogMailbox::put(const LogRecord& record) {
    const std::lock_guard lock(mutex_);
    if (records_.size() == kMostKept) {
        records_.erase(records_.begin());
        ++dropped_;
    }
    records_.push_back(record);
    records_.back().message.resize(std::min(record.message.size(), kMaxLogMessage));
}

std::vector<LogRecord> LogMailbox::take() {
    const std::lock_guard lock(mutex_);
    if (dropped_ > 0) {
        records_.front().level = LogLevel::kWarning;
        records_.front().message =
            fmt::format("{} records before this were dropped", std::exchange(dropped_, 0) + 1);
    }
    return std::exchange(records_, {});
}

}  // namespace tessera::cli
