#include "config/key_types_internal.h"

#include <algorithm>
#include <limits>

namespace tessera {
namespace {

template <class T>
Status check(const T& value, const Within<T>& range) {
    if (value < range.least || value > range.most) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} is out of range; {} to {} are allowed",
            toml_of(value),
            toml_of(range.least),
            toml_of(range.most)
        );
    }
    return {};
}

Status check(const std::string& value, const OneOf& allowed) {
    if (std::ranges::find(allowed.names, value) == allowed.names.end()) {
        return fail(
            ErrorKind::kInvalidArgument, "'{}' is none of {}", value, fmt::join(allowed.names, ", ")
        );
    }
    return {};
}

struct Anything {};
template <class T>
Status check(const T& /*value*/, Anything /*allowed*/) {
    return {};
}

template <class T>
std::string words_of(const Within<T>& range) {
    return fmt::format("{} to {}", toml_of(range.least), toml_of(range.most));
}
std::string words_of(const OneOf& allowed) {
    return fmt::format("{}", fmt::join(allowed.names, ", "));
}
std::string words_of(Anything /*allowed*/) {
    return {};
}

void resolve(std::filesystem::path& path, const std::filesystem::path& base) {
    if (!path.empty() && path.is_relative()) {
        path = base / path;
    }
}
template <class T>
void resolve(T& /*value*/, const std::filesystem::path& /*base*/) {}

template <class Section, class T, class Allowed = Anything>
ConfigKey key(
    std::string name,
    Section Config::*section,
    T Section::*member,
    std::string help,
    Allowed allowed = {}
) {
    ConfigKey key;
    key.name = std::move(name);
    key.type = kTypeName<T>;
    key.allowed = words_of(allowed);
    key.help = std::move(help);
    key.set = [section, member, allowed = std::move(allowed)](
                  Config& config, const ConfigValue& value, const std::filesystem::path& base
              ) -> Status {
        TESSERA_ASSIGN(T read, read_as<T>(value));
        TESSERA_TRY(check(read, allowed));
        resolve(read, base);
        config.*section.*member = std::move(read);
        return {};
    };
    key.show = [section, member](const Config& config) { return toml_of(config.*section.*member); };
    return key;
}

constexpr Duration kMillisecond = std::chrono::milliseconds(1);
constexpr Duration kSecond = std::chrono::seconds(1);
constexpr Duration kHour = std::chrono::hours(1);
constexpr Duration kCentury = std::chrono::hours(24 * 36525);
constexpr ByteSize kMostBytes{static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())};

constexpr Within<int> kCount{0, 1'000'000'000};
constexpr Within<int> kSome{1, 1'000'000'000};
constexpr Within<Duration> kTimeout{100 * kMillisecond, 24 * kHour};
constexpr Within<Duration> kAnyTime{Duration(0), kCentury};
constexpr Within<ByteSize> kAnySize{ByteSize{0}, kMostBytes};

std::vector<ConfigKey> server_keys() {
    using S = ServerConfig;
    constexpr auto at = &Config::server;
    return {
        key("server.listen",
            at,
            &S::listen,
            "Address to listen on. Beyond loopback API keys are required."),
        key("server.port",
            at,
            &S::port,
            "TCP port for everything; 0 takes any free one.",
            Within<int>{0, 65'535}),
        key("server.data",
            at,
            &S::data,
            "Folder of the queue, the keys and, unless store.folder says otherwise, the pictures. "
            "Empty: farm in the user's data folder."),
        key("server.tls_certificate",
            at,
            &S::tls_certificate,
            "PEM file with the certificate and its chain; with tls_key it turns HTTPS on. Read "
            "again on SIGHUP."),
        key("server.tls_key", at, &S::tls_key, "PEM file with the certificate's private key."),
        key("server.keys",
            at,
            &S::keys,
            "Who needs an API key: \"auto\", everybody unless the server listens on loopback; "
            "\"always\", everybody.",
            OneOf{{"auto", "always"}}),
        key("server.hosts",
            at,
            &S::hosts,
            "Names that the Host header may have beside the address listened on."),
        key("server.cors_origins",
            at,
            &S::cors_origins,
            "Origins, like \"https://example.org\", whose pages may call the API from a browser."),
        key("server.io_threads", at, &S::io_threads, "Threads for the network.", Within<int>{1, 256}
        ),
        key("server.handler_threads",
            at,
            &S::handler_threads,
            "Threads that answer requests.",
            Within<int>{1, 1024}),
        key("server.max_connections",
            at,
            &S::max_connections,
            "Connections at once; one more is answered 503.",
            kSome),
        key("server.max_upload",
            at,
            &S::max_upload,
            "Largest picture that may be sent.",
            Within<ByteSize>{1 * kKiB, 1024 * kGiB}),
        key("server.max_bodies",
            at,
            &S::max_bodies,
            "Memory for the bodies of all requests under way, but for the first 64KiB of each; one "
            "that does not fit is answered 503.",
            Within<ByteSize>{1 * kMiB, 1024 * kGiB}),
        key("server.max_header",
            at,
            &S::max_header,
            "Largest head of a request. Below 28KiB workers cannot fetch many tiles at once.",
            Within<ByteSize>{4 * kKiB, 1024 * kKiB}),
        key("server.stream_backlog",
            at,
            &S::stream_backlog,
            "How much may wait for a slow reader of an event stream.",
            Within<ByteSize>{4 * kKiB, 1024 * kMiB}),
        key("server.header_timeout",
            at,
            &S::header_timeout,
            "How long the head of a request may take.",
            kTimeout),
        key("server.body_timeout",
            at,
            &S::body_timeout,
            "How long a body may pause, and before it must come at 1 KiB/s.",
            kTimeout),
        key("server.idle_timeout",
            at,
            &S::idle_timeout,
            "How long a connection may stay open between two requests.",
            kTimeout),
        key("server.ping_interval",
            at,
            &S::ping_interval,
            "How often event streams and WebSockets are pinged.",
            kTimeout),
        key("server.stop_grace",
            at,
            &S::stop_grace,
            "How long answers under way may take when the server stops.",
            Within<Duration>{Duration(0), kHour}),
        key("server.requests_per_second",
            at,
            &S::requests_per_second,
            "Steady rate of requests for each key.",
            Within<double>{0.01, 1e6}),
        key("server.request_burst",
            at,
            &S::request_burst,
            "Requests that a key may make at once after a rest.",
            Within<double>{1.0, 1e6}),
    };
}

std::vector<ConfigKey> farm_keys() {
    using F = FarmConfig;
    constexpr auto at = &Config::farm;
    return {
        key("farm.lease",
            at,
            &F::lease,
            "How long a worker may be silent before its tasks go to others.",
            Within<Duration>{200 * kMillisecond, 24 * kHour}),
        key("farm.heartbeat",
            at,
            &F::heartbeat,
            "How often workers report. At most half of the lease.",
            Within<Duration>{50 * kMillisecond, kHour}),
        key("farm.link_grace",
            at,
            &F::link_grace,
            "How long a worker whose connection broke may take to come back and keep its tasks.",
            Within<Duration>{Duration(0), kHour}),
        key("farm.policy",
            at,
            &F::policy,
            "Which worker gets a task. All but earliest_finish ignore how fast workers are.",
            OneOf{{"earliest_finish", "round_robin", "random", "least_connections", "power_of_two"}}
        ),
        key("farm.ageing_step",
            at,
            &F::ageing_step,
            "Waiting so long lifts a task by one priority among its tenant's.",
            Within<Duration>{kSecond, 24 * kHour}),
        key("farm.tenant_quantum",
            at,
            &F::tenant_quantum,
            "Time of a worker that a tenant gets in one round.",
            Within<Duration>{100 * kMillisecond, kHour}),
        key("farm.model_quantum_swaps",
            at,
            &F::model_quantum_swaps,
            "A worker stays with the model that it has loaded for so many times the loading time, "
            "as long as there is work for it. Below 5 a loaded farm spends its time loading.",
            Within<double>{0.0, 1e6}),
        key("farm.keep_off_failures",
            at,
            &F::keep_off_failures,
            "Failures in a row after which a worker is kept off a kind of task.",
            kSome),
        key("farm.own_failures",
            at,
            &F::own_failures,
            "Failures by its own fault after which a task is given up.",
            kSome),
        key("farm.infrastructure_losses",
            at,
            &F::infrastructure_losses,
            "Workers that a task may lose before it is given up.",
            kSome),
        key("farm.retry_first_pause",
            at,
            &F::retry_first_pause,
            "Pause after a task's first failure; each further one doubles it.",
            kAnyTime),
        key("farm.retry_longest_pause",
            at,
            &F::retry_longest_pause,
            "Longest pause between two attempts.",
            kAnyTime),
    };
}

std::vector<ConfigKey> worker_keys() {
    using W = WorkerConfig;
    constexpr auto at = &Config::worker;
    return {
        key("worker.server",
            at,
            &W::server,
            "The farm's server, http:// or https:// with host and port; empty: this machine's."),
        key("worker.authorities",
            at,
            &W::authorities,
            "PEM file of further authorities to believe, for a certificate of one's own."),
        key("worker.token_file",
            at,
            &W::token_file,
            "File with the worker's key, readable for its owner alone."),
        key("worker.node", at, &W::node, "Name of this machine for people; empty: its host name."),
        key("worker.local",
            at,
            &W::local,
            "Whether tessera serve starts worker processes beside itself."),
        key("worker.processes", at, &W::processes, "Render processes.", Within<int>{1, 1024}),
        key("worker.slots", at, &W::slots, "Tasks at once in each process.", Within<int>{1, 256}),
        key("worker.threads",
            at,
            &W::threads,
            "Threads of each process; 0: the cores divided by the processes.",
            Within<int>{0, 1024}),
        key("worker.memory_budget",
            at,
            &W::memory_budget,
            "Memory for models in each process; 0: a part of the machine's.",
            kAnySize),
        key("worker.checkpoint_share",
            at,
            &W::checkpoint_share,
            "A render is saved each time this part of its expected time has passed; 0 with "
            "checkpoint_least 0: at every step.",
            Within<double>{0.0, 1.0}),
        key("worker.checkpoint_least",
            at,
            &W::checkpoint_least,
            "Renders are saved no more often than this.",
            Within<Duration>{Duration(0), 24 * kHour}),
        key("worker.patience",
            at,
            &W::patience,
            "A render that has not moved for so long, or ten times a step's expected time, is "
            "given "
            "up with its process.",
            Within<Duration>{kSecond, 24 * kHour}),
        key("worker.drain_timeout",
            at,
            &W::drain_timeout,
            "How long running tasks may take after SIGTERM before they are saved and given back.",
            kAnyTime),
        key("worker.metrics_listen",
            at,
            &W::metrics_listen,
            "The address on which Prometheus finds the worker processes themselves. No key is "
            "asked "
            "for there."),
        key("worker.metrics_port",
            at,
            &W::metrics_port,
            "The port of the first of them, the others follow. 0: the processes listen nowhere; "
            "the "
            "server has their metrics anyway.",
            Within<int>{0, 65'000}),
    };
}

std::vector<ConfigKey> store_keys() {
    using S = StoreConfig;
    constexpr auto at = &Config::store;
    return {
        key("store.folder", at, &S::folder, "Folder of the pictures; empty: store in server.data."),
        key("store.max_size",
            at,
            &S::max_size,
            "What pictures, uploads and checkpoints may take together; 0: no limit but min_free.",
            kAnySize),
        key("store.min_free",
            at,
            &S::min_free,
            "What stays free on the disk: below it nothing is stored.",
            kAnySize),
        key("store.orphan_grace",
            at,
            &S::orphan_grace,
            "How long what no job refers to (uploads above all) is kept.",
            Within<Duration>{kSecond, kCentury}),
        key("store.sweep_interval",
            at,
            &S::sweep_interval,
            "How often orphans and jobs past their time are looked for.",
            Within<Duration>{kSecond, 24 * kHour}),
        key("store.keep_age",
            at,
            &S::keep_age,
            "How long ended jobs and their pictures are kept; 0: for ever.",
            kAnyTime),
        key("store.keep_size",
            at,
            &S::keep_size,
            "What ended jobs may take together before the oldest go; 0: no limit.",
            kAnySize),
        key("store.keep_jobs",
            at,
            &S::keep_jobs,
            "The newest so many jobs are kept whatever keep_age and keep_size say.",
            kCount),
    };
}

std::vector<ConfigKey> limits_keys() {
    using L = LimitsConfig;
    constexpr auto at = &Config::limits;
    return {
        key("limits.max_side",
            at,
            &L::max_side,
            "Longest side of a picture, finished or on the way, in pixels.",
            Within<int>{64, 65'536}),
        key("limits.max_pixels",
            at,
            &L::max_pixels,
            "Most pixels of a picture.",
            Within<std::int64_t>{4096, std::int64_t{1} << 32U}),
        key("limits.max_steps", at, &L::max_steps, "Most steps of a pass.", Within<int>{1, 10'000}),
        key("limits.max_count", at, &L::max_count, "Most pictures of a job.", Within<int>{1, 10'000}
        ),
        key("limits.max_cost",
            at,
            &L::max_cost,
            "Most work of a job, in megapixels times steps.",
            Within<double>{0.001, 1e12}),
        key("limits.max_queued_tasks",
            at,
            &L::max_queued_tasks,
            "Most tasks of a tenant that wait; beyond it jobs are answered 429.",
            kSome),
        key("limits.max_queued_cost",
            at,
            &L::max_queued_cost,
            "Most work of a tenant that waits, in megapixels times steps.",
            Within<double>{0.001, 1e12}),
        key("limits.max_queued_tasks_of_all",
            at,
            &L::max_queued_tasks_of_all,
            "Most tasks of all tenants that wait; beyond it jobs are answered 429.",
            kSome),
    };
}

std::vector<ConfigKey> trace_keys() {
    return {
        key("trace.endpoint",
            &Config::trace,
            &TraceConfig::endpoint,
            "Collector of OpenTelemetry that is sent a trace of every job when it ends, as JSON "
            "over HTTP: \"http://127.0.0.1:4318\". Empty: none."),
    };
}

std::vector<ConfigKey> log_keys() {
    constexpr auto at = &Config::log;
    using L = LogConfig;
    return {
        key("log.level",
            at,
            &L::level,
            "The least that is logged. \"debug\" has a line for each task that is given out and "
            "done.",
            OneOf{{"debug", "info", "warning", "error"}}),
        key("log.format",
            at,
            &L::format,
            "What the log on standard error is: \"text\" for people, \"json\" for programs, "
            "\"auto\" for text on a terminal and JSON elsewhere.",
            OneOf{{"auto", "text", "json"}}),
        key("log.prompts",
            at,
            &L::prompts,
            "Whether the log may quote what people asked for. Keys and the like never stand in it."
        ),
    };
}

}  // namespace

std::span<const ConfigKey> config_keys() {
    static const std::vector<ConfigKey> keys = [] {
        std::vector<ConfigKey> all;
        for (const auto section :
             {server_keys, farm_keys, worker_keys, store_keys, limits_keys, trace_keys, log_keys}) {
            for (ConfigKey& each : section()) {
                all.push_back(std::move(each));
            }
        }
        return all;
    }();
    return keys;
}

const ConfigKey* find_key(std::string_view name) {
    const auto keys = config_keys();
    const auto found = std::ranges::find(keys, name, &ConfigKey::name);
    return found == keys.end() ? nullptr : &*found;
}

std::string ConfigKey::environment() const {
    std::string variable = "TESSERA_";
    for (const char c : name) {
        variable += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    return variable;
}

}  // namespace tessera
