#include "tessera/commands.h"
#include "tessera/farm_config.h"
#include "tessera/farm_log.h"
#include "tessera/farm_server.h"
#include "tessera/interrupt.h"
#include "tessera/locations.h"
#include "tessera/terminal.h"
#include "tessera/worker_program.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>

namespace tessera::cli {
namespace {

struct ServeArguments {
    ConfigChoice config;
};

void greet(const FarmServer& server, const Config& config, int workers) {
    if (const auto& key = server.new_admin_key()) {
        std::printf(
            "The first administrator's key, shown this once:\n\n    %s\n\n"
            "Give it to tessera as TESSERA_KEY, to the web page, and to other programs as their "
            "API key.\n",
            key->c_str()
        );
    }
    std::printf("Tessera serves at %s", server.url().c_str());
    if (workers > 0) {
        std::printf(" with %d worker %s", workers, workers == 1 ? "process" : "processes");
    }
    std::printf("\n");
    if (!is_loopback(config.server.listen) && config.server.tls_certificate.empty()) {
        std::printf(
            "Keys and pictures cross the network unencrypted: set server.tls_certificate and "
            "server.tls_key, or use a proxy.\n"
        );
    }
    std::printf("Ctrl-C finishes what is begun and stops; a second one keeps it for next time.\n");
    std::fflush(stdout);
}

void wait_for(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, stop, [] { return false; });
}

Result<ExitCode> run(const ServeArguments& arguments) {
    std::mutex mutex;
    FarmServer* running = nullptr;  // guarded by mutex
    TESSERA_ASSIGN(const auto config, read_config(arguments.config));
    const auto log = open_log(config.log);
    const auto say = [&log](const std::string& line) { log->write(LogLevel::kInfo, line); };
    const Interrupt interrupt([&] {
        const std::lock_guard lock(mutex);
        if (running != nullptr) {
            const Status read = running->reload_certificate();
            say(read ? "the certificate was read again" : read.error().message);
        }
    });
    const Locations locations = find_locations();
    TESSERA_ASSIGN(auto options, server_options(config, locations));
    TESSERA_ASSIGN(auto worker, worker_setup(config));
    TESSERA_ASSIGN(const auto server, FarmServer::start(std::move(options), locations, *log));
    {
        const std::lock_guard lock(mutex);
        running = server.get();
    }
    greet(*server, config, config.worker.local ? worker.processes : 0);
    Status worked;
    if (!config.worker.local) {
        wait_for(interrupt.token());
    } else {
        if (config.worker.server.empty()) {
            worker.farm.url = server->worker_url();
        }
        worker.farm.key = server->worker_key();
        worked = run_workers(worker, say, interrupt.token(), interrupt.haste());
    }
    {
        const std::lock_guard lock(mutex);
        running = nullptr;
    }
    const auto grace =
        interrupt.haste().stop_requested() ? Duration::zero() : config.server.stop_grace;
    server->stop(std::chrono::duration_cast<std::chrono::milliseconds>(grace));
    TESSERA_TRY(worked);
    say("stopped; what was not finished goes on at the next start");
    return ExitCode::kDone;
}

}  // namespace

void add_serve(CLI::App& program, Action& action) {
    auto arguments = std::make_shared<ServeArguments>();
    CLI::App* command =
        program.add_subcommand("serve", "Turn this machine into a render farm with an HTTP API");
    command->footer(
        "Examples:\n"
        "  tessera serve\n"
        "  tessera serve --workers 2 --port 8080\n"
        "  tessera serve --listen 0.0.0.0 --tls-certificate farm.pem --tls-key farm.key\n"
        "  tessera serve --config farm.toml\n\n"
        "On other addresses than this machine's own, every request needs a key; the first one is\n"
        "printed at the first start. tessera config check --list shows every key of the\n"
        "configuration."
    );
    ConfigChoice& config = arguments->config;
    const auto add = [&](const char* option, const char* key, const char* help) {
        add_config_option(*command, config, option, key, help);
    };
    add("--listen", "server.listen", "The address to listen on");
    add("--port", "server.port", "The port; 0: any free one");
    add("--data", "server.data", "Where jobs, pictures and keys are kept");
    add("--workers", "worker.processes", "Worker processes on this machine");
    add("--slots", "worker.slots", "Tasks at once in each of them");
    add("--threads", "worker.threads", "Threads of each; 0: the cores divided among them");
    add("--tls-certificate", "server.tls_certificate", "PEM; read again on SIGHUP");
    add("--tls-key", "server.tls_key", "PEM");
    add_config_options(*command, config);
    command->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace tessera::cli
