#include "config/units.h"
#include "telemetry/log.h"
#include "tessera/commands.h"
#include "tessera/farm_client.h"
#include "tessera/interrupt.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

namespace tessera::cli {
namespace {

/// Between two looks at a log that is followed.
constexpr std::chrono::seconds kLookAgain{1};

struct LogsArguments {
    FarmChoice farm;
    std::string job;
    std::string worker;
    std::string level;
    std::string since;
    int limit = 1000;
    bool follow = false;
    bool json = false;
};

std::string target_of(const LogsArguments& arguments) {
    std::string target = fmt::format("/api/v1/logs?limit={}", arguments.limit);
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) {
            target += fmt::format("&{}={}", name, path_segment(value));
        }
    };
    add("job", arguments.job);
    add("worker", arguments.worker);
    add("level", arguments.level);
    return target;
}

/// Prints what came after that time; gives the time of the last one.
Result<std::string> print_after(
    FarmClient& client, const std::string& target, std::string after, bool as_json
) {
    TESSERA_ASSIGN(
        const auto text,
        client.get(after.empty() ? target : target + "&after=" + path_segment(after))
    );
    const auto answer = nlohmann::ordered_json::parse(text, nullptr, false);
    const auto records = answer.is_object()
                             ? answer.value("records", nlohmann::ordered_json::array())
                             : nlohmann::ordered_json::array();
    for (const auto& each : records) {
        const std::string line = each.dump();
        if (const auto record = parse_log_record(line)) {
            std::printf("%s\n", as_json ? line.c_str() : to_line(*record).c_str());
            after = iso_time(record->time);
        }
    }
    std::fflush(stdout);
    return after;
}

Result<ExitCode> logs(const LogsArguments& arguments) {
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    const std::string target = target_of(arguments);
    std::string after;
    if (!arguments.since.empty()) {
        TESSERA_ASSIGN(const Duration since, parse_duration(arguments.since));
        after = iso_time(
            Clock::system().wall() - std::chrono::duration_cast<std::chrono::milliseconds>(since)
        );
    }
    const Interrupt interrupt;
    std::mutex mutex;
    std::condition_variable_any never;
    do {
        TESSERA_ASSIGN(after, print_after(client, target, std::move(after), arguments.json));
        std::unique_lock lock(mutex);
        if (arguments.follow) {
            never.wait_for(lock, interrupt.token(), kLookAgain, [] { return false; });
        }
    } while (arguments.follow && !interrupt.token().stop_requested());
    return ExitCode::kDone;
}

}  // namespace

void add_logs(CLI::App& program, Action& action) {
    auto arguments = std::make_shared<LogsArguments>();
    CLI::App* command =
        program.add_subcommand("logs", "Show what a farm's server and workers logged");
    command->footer(
        "Examples:\n"
        "  tessera logs --job ID\n"
        "  tessera logs --level warning --since 2h\n"
        "  tessera logs --follow"
    );
    command->add_option("--job", arguments->job, "What concerns this job");
    command->add_option("--worker", arguments->worker, "What concerns this worker");
    command->add_option("--level", arguments->level, "The least: debug, info, warning or error");
    command->add_option("--since", arguments->since, "Of this time alone: 90s, 15m, 24h");
    command->add_option("--limit", arguments->limit, "The newest so many")->capture_default_str();
    command->add_flag("--follow", arguments->follow, "Go on with what comes, until Ctrl-C");
    command->add_flag("--json", arguments->json, "One object of JSON in a line");
    add_farm_options(*command, arguments->farm);
    command->callback([arguments, &action] { action = [arguments] { return logs(*arguments); }; });
}

}  // namespace tessera::cli
