#include "config/load.h"
#include "queue/backup.h"
#include "storage/folder_store.h"
#include "tessera/commands.h"
#include "tessera/farm_client.h"
#include "tessera/farm_config.h"
#include "tessera/interrupt.h"
#include "tessera/locations.h"
#include "tessera/progress.h"
#include "tessera/quantity.h"
#include "tessera/terminal.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>

namespace tessera::cli {
namespace {

using Json = nlohmann::json;

void print_line(const std::string& line) {
    std::printf("%s\n", printable_line(line).c_str());
}

struct FarmArguments {
    FarmChoice farm;
    ConfigChoice config;
    std::string name;
    std::string tenant;
    std::string role = "user";
    std::optional<double> days;
    std::string path;
    bool json = false;
    bool example = false;
    bool list = false;
};

Result<ExitCode> workers(const FarmArguments& arguments) {
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    TESSERA_ASSIGN(const auto text, client.get("/api/v1/workers"));
    if (arguments.json) {
        std::printf("%s\n", text.c_str());
        return ExitCode::kDone;
    }
    const Json answer = Json::parse(text, nullptr, false);
    for (const Json& worker : answer.value("workers", Json::array())) {
        print_line(fmt::format(
            "{}  {:<9} {}/{} slots  {:>8}  {:>5} done {:>3} failed  {}",
            worker.value("id", ""),
            worker.value("state", ""),
            worker.value("running", 0),
            worker.value("slots", 0),
            format_bytes(worker.value("memory_bytes", std::uint64_t{0})),
            worker.value("done", 0),
            worker.value("failed", 0),
            worker.value("node", "")
        ));
        if (!worker.value("last_error", "").empty()) {
            print_line("    last error: " + worker.value("last_error", ""));
        }
    }
    if (answer.value("workers", Json::array()).empty()) {
        print_line("no worker is connected; tessera worker starts one");
    }
    return ExitCode::kDone;
}

Result<ExitCode> drain(const FarmArguments& arguments) {
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    TESSERA_TRY(
        client.post(fmt::format("/api/v1/workers/{}/drain", path_segment(arguments.name)), "")
    );
    return ExitCode::kDone;
}

Result<ExitCode> list_keys(const FarmArguments& arguments) {
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    TESSERA_ASSIGN(const auto text, client.get("/api/v1/keys"));
    const Json answer = Json::parse(text, nullptr, false);
    const Json keys = answer.value("keys", Json::array());
    for (const Json& key : keys) {
        print_line(fmt::format(
            "{:<12} {:<7} {:<20} tenant {:<16} made {}{}",
            key.value("id", ""),
            key.value("role", ""),
            key.value("name", ""),
            key.value("tenant", ""),
            key.value("created", ""),
            key.contains("expires") ? ", until " + key.value("expires", "") : ""
        ));
    }
    if (keys.empty()) {
        print_line("there are no keys; tessera keys add NAME makes one");
    }
    return ExitCode::kDone;
}

Result<ExitCode> add_key(const FarmArguments& arguments) {
    constexpr double kDay = 24.0 * 3600.0;
    const double seconds = arguments.days.value_or(1.0) * kDay;
    if (!(seconds > 0.0 && std::isfinite(seconds))) {
        return fail(
            ErrorKind::kInvalidArgument,
            "--days must be above 0, not {}; a key made without it never ends",
            *arguments.days
        );
    }
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    Json body{{"name", arguments.name}, {"role", arguments.role}};
    if (!arguments.tenant.empty()) {
        body["tenant"] = arguments.tenant;
    }
    if (arguments.days) {
        body["lifetime_seconds"] = seconds;
    }
    TESSERA_ASSIGN(const auto text, client.post("/api/v1/keys", body.dump()));
    print_line(Json::parse(text, nullptr, false).value("key", ""));
    std::fprintf(stderr, "It is shown this once; the farm keeps only its hash.\n");
    return ExitCode::kDone;
}

Result<ExitCode> remove_key(const FarmArguments& arguments) {
    TESSERA_ASSIGN(auto client, FarmClient::open(arguments.farm));
    TESSERA_TRY(client.remove("/api/v1/keys/" + path_segment(arguments.name)));
    return ExitCode::kDone;
}

Result<ExitCode> check_config(const FarmArguments& arguments) {
    if (arguments.example) {
        std::printf("%s", example_config().c_str());
        return ExitCode::kDone;
    }
    if (arguments.list) {
        for (const KeyDescription& key : describe_config()) {
            print_line(fmt::format("{} = {}  ({})", key.name, key.default_value, key.type));
            print_line("    " + key.help);
        }
        return ExitCode::kDone;
    }
    TESSERA_ASSIGN(const auto sources, config_sources(arguments.config));
    const LoadedConfig loaded = load_config(sources);
    for (const ConfigProblem& problem : loaded.problems) {
        std::fprintf(
            stderr, "%s\n", printable_line(problem.where + ": " + problem.message).c_str()
        );
    }
    for (const ConfigOrigin& origin : loaded.origins) {
        print_line(fmt::format("{} = {}  ({})", origin.key, origin.value, origin.where));
    }
    if (!loaded.problems.empty()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} {} in the configuration",
            loaded.problems.size(),
            loaded.problems.size() == 1 ? "mistake" : "mistakes"
        );
    }
    TESSERA_TRY(server_options(loaded.config, find_locations()));
    print_line("the configuration is good; what is not named has its default");
    return ExitCode::kDone;
}

Result<std::filesystem::path> database_of(const FarmArguments& arguments) {
    TESSERA_ASSIGN(const auto config, read_config(arguments.config));
    TESSERA_ASSIGN(const auto options, server_options(config, find_locations()));
    return options.data / "jobs.db";
}

/// Before anything makes it anew.
Status require_data(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
        return fail(
            ErrorKind::kNotFound,
            "there is no {}; name the farm's folder with --data or the key server.data",
            path.string()
        );
    }
    return {};
}

Result<ExitCode> backup(const FarmArguments& arguments) {
    TESSERA_ASSIGN(const auto database, database_of(arguments));
    TESSERA_TRY(require_data(database));
    TESSERA_TRY(backup_queue(database, arguments.path));
    TESSERA_ASSIGN(const auto summary, inspect_backup(arguments.path));
    print_line(fmt::format(
        "{}: {} jobs, {} of them not ended; pictures are files of the store, copy them too",
        arguments.path,
        summary.jobs,
        summary.live_jobs
    ));
    return ExitCode::kDone;
}

Result<ExitCode> restore(const FarmArguments& arguments) {
    TESSERA_ASSIGN(const auto database, database_of(arguments));
    std::error_code error;
    std::filesystem::create_directories(database.parent_path(), error);
    TESSERA_TRY(restore_backup(arguments.path, database));
    print_line(fmt::format("{} holds the backup's jobs", database.string()));
    return ExitCode::kDone;
}

Result<ExitCode> verify_store(const FarmArguments& arguments) {
    const Interrupt interrupt;
    Progress progress;
    TESSERA_ASSIGN(const auto config, read_config(arguments.config));
    TESSERA_ASSIGN(const auto options, server_options(config, find_locations()));
    TESSERA_TRY(require_data(options.store_folder));
    TESSERA_ASSIGN(const auto store, FolderStore::open(options.store_folder, options.store));
    progress.phase("reading every object");
    TESSERA_ASSIGN(const auto report, store->verify([&](const VerifyProgress& seen) {
        progress.phase(fmt::format("{} objects, {} read", seen.objects, format_bytes(seen.bytes)));
        return !interrupt.token().stop_requested();
    }));
    progress.rest();
    for (const DamagedObject& object : report.damaged) {
        print_line(object.sha256 + ": " + object.reason);
    }
    for (const std::string& path : report.foreign) {
        print_line(path + " is none of the farm's files");
    }
    print_line(fmt::format(
        "{} objects, {}, {} damaged",
        report.seen.objects,
        format_bytes(report.seen.bytes),
        report.damaged.size()
    ));
    if (!report.damaged.empty()) {
        return fail(ErrorKind::kCorrupt, "damaged objects were moved to the store's damaged/");
    }
    return ExitCode::kDone;
}

using Run = Result<ExitCode> (*)(const FarmArguments&);

CLI::App* add(
    CLI::App& program,
    Action& action,
    const char* name,
    const char* help,
    const std::shared_ptr<FarmArguments>& arguments,
    Run run
) {
    CLI::App* command = program.add_subcommand(name, help);
    command->callback([arguments, &action, run] {
        action = [arguments, run] { return run(*arguments); };
    });
    return command;
}

void add_workers(CLI::App& program, Action& action) {
    auto arguments = std::make_shared<FarmArguments>();
    CLI::App* command = program.add_subcommand("workers", "Show or drain a farm's workers");
    command->footer(
        "Examples:\n"
        "  tessera workers\n"
        "  tessera workers drain ID"
    );
    CLI::App* draining =
        add(*command, action, "drain", "Let one finish what it holds and leave", arguments, drain);
    draining->add_option("worker", arguments->name, "Its id")->required();
    command->add_flag("--json", arguments->json, "Print the server's answer");
    add_farm_options(*command, arguments->farm);
    command->callback([command, arguments, &action] {
        if (command->get_subcommands().empty()) {
            action = [arguments] { return workers(*arguments); };
        }
    });
}

void add_keys(CLI::App& program, Action& action) {
    auto arguments = std::make_shared<FarmArguments>();
    CLI::App* command = program.add_subcommand("keys", "Make and end a farm's API keys");
    command->footer(
        "Examples:\n"
        "  tessera keys add anna\n"
        "  tessera keys add renderbox --role worker\n"
        "  tessera keys list"
    );
    command->require_subcommand(1);
    add(*command, action, "list", "The keys, without their secrets", arguments, list_keys);
    CLI::App* adding =
        add(*command, action, "add", "Make one; it is shown once", arguments, add_key);
    adding->add_option("name", arguments->name, "A name for people")->required();
    adding->add_option("--tenant", arguments->tenant, "Whose jobs it sees; default: its name");
    adding->add_option("--role", arguments->role, "user, admin or worker")->capture_default_str();
    adding->add_option("--days", arguments->days, "It ends after so many days; default: never");
    CLI::App* removing = add(*command, action, "remove", "End one", arguments, remove_key);
    removing->add_option("key", arguments->name, "Its id or name")->required();
    add_farm_options(*command, arguments->farm);
}

void add_config(CLI::App& program, Action& action) {
    auto arguments = std::make_shared<FarmArguments>();
    CLI::App* command = program.add_subcommand("config", "Check a farm's configuration");
    command->footer(
        "Examples:\n"
        "  tessera config check --config farm.toml\n"
        "  tessera config check --list\n"
        "  tessera config check --example > farm.toml"
    );
    command->require_subcommand(1);
    CLI::App* checking =
        add(*command,
            action,
            "check",
            "Say what is set, by whom, and what is wrong",
            arguments,
            check_config);
    checking->add_flag("--example", arguments->example, "Print a file with every key and its help");
    checking->add_flag("--list", arguments->list, "Every key with its default and its help");
    add_config_options(*checking, arguments->config);
}

void add_data_options(CLI::App& command, ConfigChoice& config) {
    add_config_option(command, config, "--data", "server.data", "Where the farm keeps its data");
    add_config_options(command, config);
}

void add_data(CLI::App& program, Action& action) {
    auto arguments = std::make_shared<FarmArguments>();
    CLI::App* command =
        add(program, action, "backup", "Copy a farm's jobs, while it runs or not", arguments, backup
        );
    command->footer(
        "Examples:\n"
        "  tessera backup jobs-monday.db\n"
        "  tessera backup jobs-monday.db --data /srv/farm"
    );
    command->add_option("file", arguments->path, "The new file")->required();
    add_data_options(*command, arguments->config);

    arguments = std::make_shared<FarmArguments>();
    command = add(program, action, "restore", "Make a farm's jobs of a backup", arguments, restore);
    command->footer("Example:\n  tessera restore jobs-monday.db --data /srv/farm");
    command->add_option("file", arguments->path, "A backup")->required();
    add_data_options(*command, arguments->config);

    arguments = std::make_shared<FarmArguments>();
    command = program.add_subcommand("store", "Check a farm's pictures");
    command->footer("Example:\n  tessera store verify --data /srv/farm");
    command->require_subcommand(1);
    CLI::App* verifying = add(
        *command, action, "verify", "Read everything and compare hashes", arguments, verify_store
    );
    add_data_options(*verifying, arguments->config);
}

}  // namespace

void add_farm(CLI::App& program, Action& action) {
    add_workers(program, action);
    add_keys(program, action);
    add_config(program, action);
    add_data(program, action);
}

}  // namespace tessera::cli
