#include "tessera/farm_config.h"

#include "base/file.h"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

namespace tessera::cli {
namespace {

constexpr std::uint64_t kMostKeyBytes = 4096;

std::chrono::milliseconds milliseconds(Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

std::vector<std::pair<std::string, std::string>> environment() {
    std::vector<std::pair<std::string, std::string>> variables;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const auto equals = text.find('=');
        if (equals != std::string_view::npos) {
            variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return variables;
}

SchedulerSettings scheduler_settings(const FarmConfig& farm, Policy policy) {
    SchedulerSettings settings;
    settings.policy = policy;
    settings.ageing_step = farm.ageing_step;
    settings.tenant_quantum_seconds = seconds_of(farm.tenant_quantum);
    settings.model_quantum_swaps = farm.model_quantum_swaps;
    settings.keep_off_failures = farm.keep_off_failures;
    return settings;
}

TenantLimits tenant_limits(const LimitsConfig& config) {
    TenantLimits limits;
    limits.max_side = config.max_side;
    limits.max_pixels = config.max_pixels;
    limits.max_steps = config.max_steps;
    limits.max_count = config.max_count;
    limits.max_cost = config.max_cost;
    limits.max_queued_tasks = static_cast<std::size_t>(config.max_queued_tasks);
    limits.max_queued_tasks_of_all = static_cast<std::size_t>(config.max_queued_tasks_of_all);
    limits.max_queued_cost = config.max_queued_cost;
    return limits;
}

http::ServerOptions http_options(const ServerConfig& server) {
    http::ServerOptions options;
    options.address = server.listen == "localhost" ? "127.0.0.1" : server.listen;
    options.port = static_cast<std::uint16_t>(server.port);
    if (!server.tls_certificate.empty()) {
        options.tls = http::TlsFiles{server.tls_certificate, server.tls_key};
    }
    options.io_threads = server.io_threads;
    options.handler_threads = server.handler_threads;
    options.body_memory = server.max_bodies.bytes;
    options.header_limit = server.max_header.bytes;
    options.header_timeout = milliseconds(server.header_timeout);
    options.body_timeout = milliseconds(server.body_timeout);
    options.idle_timeout = milliseconds(server.idle_timeout);
    options.connection_limit = static_cast<std::size_t>(server.max_connections);
    options.stream_backlog = server.stream_backlog.bytes;
    options.ping_interval = milliseconds(server.ping_interval);
    return options;
}

}  // namespace

bool is_loopback(const std::string& address) {
    return address == "localhost" || address == "::1" || address.starts_with("127.");
}

void add_config_options(CLI::App& command, ConfigChoice& choice) {
    command.add_option("--config", choice.file, "A TOML file; else $TESSERA_CONFIG");
    command.add_option("--set", choice.sets, "One key, over the file: --set server.port=8080")
        ->allow_extra_args(false);
}

void add_config_option(
    CLI::App& command,
    ConfigChoice& choice,
    const std::string& option,
    const std::string& key,
    const std::string& help
) {
    command.add_option_function<std::string>(
        option,
        [&choice, key](const std::string& value) { choice.options.emplace_back(key, value); },
        help + " (" + key + ")"
    );
}

Result<ConfigSources> config_sources(const ConfigChoice& choice) {
    ConfigSources sources;
    sources.file = choice.file;
    if (const char* file = std::getenv("TESSERA_CONFIG"); file != nullptr && choice.file.empty()) {
        sources.file = file;
    }
    sources.environment = environment();
    for (const std::string& set : choice.sets) {
        const auto equals = set.find('=');
        if (equals == std::string::npos) {
            return fail(
                ErrorKind::kInvalidArgument, "--set {} has no value; write --set {}=VALUE", set, set
            );
        }
        sources.settings.emplace_back(set.substr(0, equals), set.substr(equals + 1));
    }
    sources.settings.insert(sources.settings.end(), choice.options.begin(), choice.options.end());
    return sources;
}

Result<Config> read_config(const ConfigChoice& choice) {
    TESSERA_ASSIGN(const auto sources, config_sources(choice));
    return require_config(sources);
}

Result<FarmServerOptions> server_options(const Config& config, const Locations& locations) {
    FarmServerOptions options;
    options.data = config.server.data.empty() ? locations.farm : config.server.data;
    if (options.data.empty()) {
        return fail(
            ErrorKind::kNotFound, "there is no home folder for the farm's data; set server.data"
        );
    }
    if (config.server.tls_certificate.empty() != config.server.tls_key.empty()) {
        return fail(
            ErrorKind::kInvalidArgument, "server.tls_certificate and server.tls_key belong together"
        );
    }
    if (config.farm.lease < 2 * config.farm.heartbeat) {
        return fail(
            ErrorKind::kInvalidArgument, "farm.lease must be at least two times farm.heartbeat"
        );
    }
    options.http = http_options(config.server);
    options.store_folder =
        config.store.folder.empty() ? options.data / "objects" : config.store.folder;
    options.store.max_bytes = config.store.max_size.bytes;
    options.store.min_free_bytes = config.store.min_free.bytes;
    options.orphan_grace = config.store.orphan_grace;
    options.sweep_interval = config.store.sweep_interval;
    if (config.store.keep_age > Duration::zero()) {
        options.retention.max_age = config.store.keep_age;
    }
    if (config.store.keep_size.bytes > 0) {
        options.retention.max_bytes = config.store.keep_size.bytes;
    }
    options.retention.keep_at_least = static_cast<std::size_t>(config.store.keep_jobs);
    options.limits = tenant_limits(config.limits);
    TESSERA_ASSIGN(const auto policy, find_policy(config.farm.policy));
    options.dispatcher.scheduler = scheduler_settings(config.farm, policy);
    options.dispatcher.lease = config.farm.lease;
    options.dispatcher.heartbeat = config.farm.heartbeat;
    options.dispatcher.link_grace = config.farm.link_grace;
    options.retry.own_failures = config.farm.own_failures;
    options.retry.infrastructure_losses = config.farm.infrastructure_losses;
    options.retry.first_pause = config.farm.retry_first_pause;
    options.retry.longest_pause = config.farm.retry_longest_pause;
    options.api.open = config.server.keys == "never" ||
                       (config.server.keys == "auto" && is_loopback(config.server.listen));
    options.log_prompts = config.log.prompts;
    options.trace_endpoint = config.trace.endpoint;
    options.api.hosts = config.server.hosts;
    options.api.origins = config.server.cors_origins;
    options.api.requests_per_second = config.server.requests_per_second;
    options.api.burst = config.server.request_burst;
    options.api.upload_bytes = config.server.max_upload.bytes;
    options.api.web = locations.data / "web";
    if (options.api.open && !is_loopback(config.server.listen)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "server.keys = \"never\" would open {} to everybody; it is for this machine's own "
            "addresses alone",
            config.server.listen
        );
    }
    return options;
}

Result<WorkerSetup> worker_setup(const Config& config) {
    const WorkerConfig& worker = config.worker;
    WorkerSetup setup;
    setup.farm.url = worker.server.empty() ? "http://127.0.0.1:7860" : worker.server;
    setup.farm.authorities = worker.authorities;
    if (const char* key = std::getenv(kWorkerKeyVariable)) {
        setup.farm.key = key;
    } else if (!worker.token_file.empty()) {
        TESSERA_ASSIGN(setup.farm.key, read_file(worker.token_file, kMostKeyBytes));
        setup.farm.key.erase(setup.farm.key.find_last_not_of(" \r\n\t") + 1);
    }
    setup.processes = worker.processes;
    setup.slots = worker.slots;
    setup.threads = worker.threads;
    setup.model_bytes = worker.memory_budget.bytes;
    setup.node = worker.node;
    setup.checkpoints = {worker.checkpoint_least, worker.checkpoint_share};
    setup.patience = worker.patience;
    setup.drain_timeout = worker.drain_timeout;
    setup.log = config.log;
    setup.metrics_listen = worker.metrics_listen;
    setup.metrics_port = worker.metrics_port;
    return setup;
}

}  // namespace tessera::cli
