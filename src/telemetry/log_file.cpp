#include "telemetry/log_file.h"

#include "base/file.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>

#include <algorithm>
#include <atomic>
#include <utility>

namespace tessera {
namespace {

constexpr const char* kName = "farm";

/// Whether a line is wanted; what is no line of ours is not.
bool fits(const std::string& line, const LogQuery& query) {
    // Most lines are of others: seen before anything is parsed.
    if (line.find(query.job) == std::string::npos || line.find(query.worker) == std::string::npos) {
        return false;
    }
    const auto record = parse_log_record(line);
    return record && record->level >= query.least &&
           (query.job.empty() || record->job == query.job) &&
           (query.worker.empty() || record->worker == query.worker) &&
           iso_time(record->time) > query.after;
}

}  // namespace

struct LogFile::State {
    State(std::filesystem::path its_folder, std::uint64_t its_bytes, std::size_t its_files)
        : folder(std::move(its_folder)),
          bytes(its_bytes),
          files(its_files),
          sink((folder / fmt::format("{}.jsonl", kName)).string(), bytes, files) {
        sink.set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
    }

    /// The newest is 0.
    [[nodiscard]] std::filesystem::path file(std::size_t number) const {
        return folder / (number == 0 ? fmt::format("{}.jsonl", kName)
                                     : fmt::format("{}.{}.jsonl", kName, number));
    }

    const std::filesystem::path folder;
    const std::uint64_t bytes;
    const std::size_t files;
    spdlog::sinks::rotating_file_sink_mt sink;
    std::atomic<std::size_t> lost = 0;  ///< records since the last that was written
};

LogFile::LogFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogFile::~LogFile() = default;

Result<std::unique_ptr<LogFile>> LogFile::open(
    const std::filesystem::path& folder, std::uint64_t bytes, std::size_t files
) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    try {
        return std::unique_ptr<LogFile>(new LogFile(std::make_unique<State>(folder, bytes, files)));
    } catch (const spdlog::spdlog_ex& problem) {
        return fail(
            ErrorKind::kUnavailable,
            "cannot write a log into {}: {}",
            folder.string(),
            error ? error.message() : problem.what()
        );
    }
}

void LogFile::write(const LogRecord& record) {
    const auto put = [this](const LogRecord& one) {
        const std::string line = to_json(one);
        state_->sink.log(spdlog::details::log_msg({}, spdlog::level::info, line));
        state_->sink.flush();
    };
    const std::size_t lost = state_->lost.exchange(0);
    try {
        if (lost > 0) {
            LogRecord gap;
            gap.time = record.time;
            gap.level = LogLevel::kWarning;
            gap.message = fmt::format("{} records before this could not be written", lost);
            put(gap);
        }
        put(record);
    } catch (const spdlog::spdlog_ex&) {
        state_->lost += lost + 1;
    }
}

std::vector<std::string> LogFile::read(const LogQuery& query) const {
    std::vector<std::string> found;
    for (std::size_t number = 0; number <= state_->files; ++number) {
        const auto text = read_file(state_->file(number), 2 * state_->bytes);
        if (!text) {
            break;
        }
        std::string_view rest = *text;
        while (!rest.empty() && found.size() < query.limit) {
            rest.remove_suffix(rest.back() == '\n' ? 1 : 0);
            const auto begin = rest.rfind('\n') + 1;  // 0 where there is none
            std::string line(rest.substr(begin));
            rest = rest.substr(0, begin);
            if (fits(line, query)) {
                found.push_back(std::move(line));
            }
        }
    }
    std::ranges::reverse(found);
    return found;
}

}  // namespace tessera
