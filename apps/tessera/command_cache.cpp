#include "inference/engine.h"
#include "tessera/commands.h"
#include "tessera/locations.h"
#include "tessera/quantity.h"
#include "tessera/terminal.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace tessera::cli {
namespace {

Result<EngineCache> open_cache() {
    const auto folder = find_locations().engines();
    if (folder.empty()) {
        return fail(
            ErrorKind::kNotFound,
            "there is no home folder to keep a cache in; let TESSERA_CACHE_DIR name a folder"
        );
    }
    return EngineCache::open(folder, EngineOptions().cache_budget_bytes);
}

std::string format_time(std::chrono::system_clock::time_point time, const char* form) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), form, &parts)};
}

void show_json(const EngineCache& cache) {
    nlohmann::ordered_json json{
        {"folder", find_locations().engines().string()},
        {"bytes", cache.total_bytes()},
        {"budget_bytes", cache.budget_bytes()},
        {"entries", nlohmann::ordered_json::array()},
    };
    for (const CacheEntry& entry : cache.list()) {
        json["entries"].push_back({
            {"key", entry.key},
            {"name", entry.name},
            {"bytes", entry.bytes},
            {"last_used", format_time(entry.last_used, "%Y-%m-%dT%H:%M:%SZ")},
        });
    }
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void show_text(const EngineCache& cache) {
    for (const CacheEntry& entry : cache.list()) {
        std::printf(
            "%s\n",
            fmt::format(
                "{}  {:<12}  {:>7}  last used {}",
                entry.key,
                entry.name.empty() ? "damaged" : printable_line(entry.name),
                format_bytes(entry.bytes),
                format_time(entry.last_used, "%Y-%m-%d %H:%M UTC")
            )
                .c_str()
        );
    }
    std::printf(
        "%s of %s in use\n",
        format_bytes(cache.total_bytes()).c_str(),
        format_bytes(cache.budget_bytes()).c_str()
    );
}

Result<ExitCode> show(bool json) {
    TESSERA_ASSIGN(const auto cache, open_cache());
    json ? show_json(cache) : show_text(cache);
    return ExitCode::kDone;
}

/// What went, and what is left.
void show_freed(std::uint64_t before, std::uint64_t after, bool json) {
    const std::uint64_t freed = before > after ? before - after : 0;
    if (json) {
        const nlohmann::ordered_json report{{"freed_bytes", freed}, {"bytes", after}};
        std::printf("%s\n", report.dump(2).c_str());
    } else {
        std::printf(
            "%s freed, %s in use\n", format_bytes(freed).c_str(), format_bytes(after).c_str()
        );
    }
}

Result<ExitCode> clear(bool json) {
    TESSERA_ASSIGN(const auto cache, open_cache());
    const std::uint64_t before = cache.total_bytes();
    TESSERA_TRY(cache.clear());
    std::error_code error;
    std::filesystem::remove_all(find_locations().model_hashes(), error);
    show_freed(before, cache.total_bytes(), json);
    return ExitCode::kDone;
}

Result<ExitCode> prune(const std::string& budget, bool json) {
    TESSERA_ASSIGN(const auto bytes, parse_bytes(budget));
    TESSERA_ASSIGN(const auto cache, open_cache());
    const std::uint64_t before = cache.total_bytes();
    TESSERA_TRY(cache.prune(bytes));
    show_freed(before, cache.total_bytes(), json);
    return ExitCode::kDone;
}

}  // namespace

void add_cache(CLI::App& program, Action& action) {
    struct Options {
        bool json = false;
        std::string budget;
    };
    auto* command = program.add_subcommand(
        "cache", "List, clear or prune the engine cache: networks made ready for this machine"
    );
    auto options = std::make_shared<Options>();
    command->require_subcommand(0, 1);
    command->footer(
        "Without a further word it lists. All of it is made anew when needed.\n\n"
        "Examples:\n"
        "  tessera cache\n"
        "  tessera cache prune --budget 5GB\n"
        "  du -sh \"$(tessera cache path)\""
    );
    const auto add = [&](const char* name, const char* what, std::function<Result<ExitCode>()> run
                     ) {
        auto* part = command->add_subcommand(name, what);
        part->callback([run = std::move(run), &action] { action = run; });
        return part;
    };
    auto* list = add("list", "List what is in it", [options] { return show(options->json); });
    auto* emptying = add("clear", "Remove all of it", [options] { return clear(options->json); });
    auto* pruning = add("prune", "Remove what was not used for longest", [options] {
        return prune(options->budget, options->json);
    });
    pruning->add_option("--budget", options->budget, "What may stay, as 5GB")->required();
    add("path", "Print the folder", []() -> Result<ExitCode> {
        std::printf("%s\n", find_locations().engines().c_str());
        return ExitCode::kDone;
    });
    for (auto* part : {command, list, emptying, pruning}) {
        part->add_flag("--json", options->json, "Show it as JSON");
    }
    command->callback([command, options, &action] {
        if (command->get_subcommands().empty()) {
            action = [options] { return show(options->json); };
        }
    });
}

}  // namespace tessera::cli
