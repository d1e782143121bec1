#include "telemetry/log.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

namespace tessera {
namespace {

constexpr std::string_view kHidden = "[hidden]";
constexpr std::size_t kLeastHidden = 3;

struct NamedLevel {
    LogLevel level;
    std::string_view name;
};
constexpr std::array<NamedLevel, 4> kLevels{{
    {LogLevel::kDebug, "debug"},
    {LogLevel::kInfo, "info"},
    {LogLevel::kWarning, "warning"},
    {LogLevel::kError, "error"},
}};

bool is_of_token(char letter) {
    constexpr std::string_view kOthers = "_-.~+/=";
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
           (letter >= 'A' && letter <= 'Z') || kOthers.find(letter) != std::string_view::npos;
}

/// Hides the token that follows each `start`; `keep` of the start's bytes stay.
void hide_after(std::string& text, std::string_view start, std::size_t keep) {
    for (auto at = text.find(start); at != std::string::npos; at = text.find(start, at)) {
        const auto from = at + start.size();
        auto end = from;
        while (end < text.size() && is_of_token(text[end])) {
            ++end;
        }
        if (end == from) {
            at = from;
            continue;
        }
        text.replace(at + keep, end - at - keep, kHidden);
        at += keep + kHidden.size();
    }
}

/// C0 and C1 controls, DEL, and the characters that turn the direction of writing.
std::string escaped(std::string_view text) {
    constexpr unsigned char kDelete = 0x7F;
    std::string shown;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto rest = text.substr(i);
        const bool is_c1 =
            byte == 0xC2 && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0xA0;
        const bool turns =
            rest.starts_with("\xE2\x80") && rest.size() > 2 &&
            ((rest[2] >= '\xAA' && rest[2] <= '\xAE') || rest[2] == '\x8E' || rest[2] == '\x8F');
        const bool isolates = rest.starts_with("\xE2\x81") && rest.size() > 2 &&
                              rest[2] >= '\xA6' && rest[2] <= '\xA9';
        if (byte == '\n') {
            shown += "\\n";
        } else if (byte < ' ' || byte == kDelete) {
            shown += fmt::format("\\x{:02x}", byte);
        } else if (is_c1) {
            shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(rest[1]));
            i += 1;
        } else if (turns || isolates) {
            i += 2;
        } else {
            shown += text[i];
        }
    }
    return shown;
}

}  // namespace

std::string_view to_string(LogLevel level) {
    return kLevels.at(static_cast<std::size_t>(level)).name;
}

std::optional<LogLevel> parse_log_level(std::string_view text) {
    const auto found = std::ranges::find(kLevels, text, &NamedLevel::name);
    return found == kLevels.end() ? std::nullopt : std::optional(found->level);
}

std::string to_json(const LogRecord& record) {
    using Json = nlohmann::ordered_json;
    Json json{
        {"time", iso_time(record.time)},
        {"level", to_string(record.level)},
        {"message", record.message}};
    const auto set = [&](const char* name, const std::string& id) {
        if (!id.empty()) {
            json[name] = id;
        }
    };
    set("job", record.job);
    set("task", record.task);
    set("worker", record.worker);
    set("trace_id", record.trace);
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<LogRecord> parse_log_record(std::string_view text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) {
        return std::nullopt;
    }
    const auto text_of = [&](const char* name) {
        const auto found = json.find(name);
        return found != json.end() && found->is_string() ? found->get<std::string>() : "";
    };
    const std::string time = text_of("time");
    const auto level = parse_log_level(text_of("level"));
    std::tm day{};
    const char* const rest = ::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &day);
    int milliseconds = 0;
    if (!level || rest == nullptr || std::sscanf(rest, ".%3dZ", &milliseconds) != 1) {
        return std::nullopt;
    }
    LogRecord record;
    record.time =
        WallTime(std::chrono::seconds(::timegm(&day))) + std::chrono::milliseconds(milliseconds);
    record.level = *level;
    record.message = text_of("message");
    record.job = text_of("job");
    record.task = text_of("task");
    record.worker = text_of("worker");
    record.trace = text_of("trace_id");
    return record;
}

std::string to_line(const LogRecord& record) {
    constexpr std::size_t kClock = 11;  // of "2026-11-23T17:20:03.123Z"
    constexpr std::size_t kClockSize = 12;
    std::string line = fmt::format(
        "{} {:<7}  {}",
        iso_time(record.time).substr(kClock, kClockSize),
        to_string(record.level),
        escaped(record.message)
    );
    const auto add = [&](std::string_view name, const std::string& id) {
        if (!id.empty()) {
            line += fmt::format("  {}={}", name, escaped(id));
        }
    };
    // A task's id begins with its job's.
    add("job", record.task.empty() ? record.job : "");
    add("task", record.task);
    add("worker", record.worker);
    return line;
}

std::string without_secrets(std::string text) {
    constexpr std::string_view kKey = "tsr_";
    hide_after(text, kKey, kKey.size());
    for (const std::string_view scheme : {"Bearer ", "bearer ", "Basic ", "basic "}) {
        hide_after(text, scheme, scheme.size());
    }
    return text;
}

std::string without_words(std::string text, std::span<const std::string> words) {
    for (const std::string& word : words) {
        if (word.size() < kLeastHidden) {
            continue;
        }
        for (auto at = text.find(word); at != std::string::npos;
             at = text.find(word, at + kHidden.size())) {
            text.replace(at, word.size(), kHidden);
        }
    }
    return text;
}

void Log::add(Sink sink) {
    const std::lock_guard lock(mutex_);
    sinks_.push_back(std::move(sink));
}

void Log::write(LogRecord record) {
    if (record.level < least_) {
        return;
    }
    if (record.time == WallTime{}) {
        record.time = clock_.wall();
    }
    record.message = without_secrets(std::move(record.message));
    const std::lock_guard lock(mutex_);
    for (const Sink& sink : sinks_) {
        sink(record);
    }
}

void Log::write(LogLevel level, std::string message) {
    LogRecord record;
    record.level = level;
    record.message = std::move(message);
    write(std::move(record));
}

}  // namespace tessera
