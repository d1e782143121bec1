#include "tessera/worker_program.h"

#include "base/entropy.h"
#include "base/process_memory.h"
#include "events/queue_log.h"
#include "http/server.h"
#include "telemetry/farm_metrics.h"
#include "telemetry/trace_context.h"
#include "tessera/farm_log.h"
#include "tessera/farm_renderer.h"
#include "tessera/render_listener.h"
#include "tessera/version.h"
#include "worker/worker.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

namespace tessera::cli {
namespace {

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

int threads_of(const WorkerSetup& setup) {
    const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    return setup.threads > 0 ? setup.threads : std::max(1, cores / setup.processes);
}

std::uint64_t model_bytes_of(const WorkerSetup& setup) {
    struct sysinfo info {};
    if (setup.model_bytes > 0 || ::sysinfo(&info) != 0) {
        return std::max<std::uint64_t>(setup.model_bytes, 1);
    }
    const auto processes = static_cast<std::uint64_t>(setup.processes);
    return std::uint64_t{info.totalram} * info.mem_unit / 2 / processes;
}

/// A line of a task's log for the farm's, without what its owner asked for.
LogRecord record_of(const AssignTask& task, const std::string& line, bool prompts) {
    LogRecord record;
    record.message = line;
    record.job = task.task.job.value;
    record.task = to_string(task.task);
    if (const auto spec = decode_job_spec(task.spec)) {
        record.trace = to_string(job_context(task.task.job, spec->traceparent).trace);
        if (!prompts) {
            record.message = without_words(line, private_words(*spec));
        }
    }
    return record;
}

/// What this process has measured, for Prometheus itself.
Result<std::unique_ptr<http::Server>> serve_metrics(
    const WorkerSetup& setup, const WorkerProcess& process, const std::shared_ptr<Metrics>& metrics
) {
    const std::string node = setup.node.empty() ? host_name() : setup.node;
    const auto collected = metrics->collect([worker = process.worker, node](MetricWriter& writer) {
        writer.write(metric::kWorkerMemory, {worker, node}, static_cast<double>(resident_bytes()));
        writer.write(metric::kBuildInfo, {version_text()}, 1.0);
    });
    http::Router router;
    router.add(
        "GET",
        "/metrics",
        [metrics, collected](const std::shared_ptr<http::Exchange>& exchange) {
            http::Response response{200, {}, metrics->text()};
            response.fields.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
            exchange->respond(std::move(response));
        }
    );
    http::ServerOptions options;
    options.address = setup.metrics_listen;
    options.port = static_cast<std::uint16_t>(setup.metrics_port + process.number);
    options.handler_threads = 1;
    options.slow_threads = 1;
    return http::Server::start(options, std::move(router));
}

}  // namespace

std::vector<std::string> worker_command(const WorkerSetup& setup, const ProcessStart& start) {
    std::vector<std::string> command{
        "/proc/self/exe",
        "worker",
        "--process",
        start.worker.value,
        "--number",
        std::to_string(start.number),
        "--supervisor",
        std::to_string(::getpid())};
    const auto set = [&](const char* key, const std::string& value) {
        command.insert(command.end(), {"--set", fmt::format("{}={}", key, value)});
    };
    set("worker.server", setup.farm.url);
    set("worker.slots", std::to_string(setup.slots));
    set("worker.threads", std::to_string(threads_of(setup)));
    set("worker.memory_budget", std::to_string(model_bytes_of(setup)));
    set("worker.checkpoint_least", fmt::format("{:.3f}s", seconds_of(setup.checkpoints.shortest)));
    set("worker.checkpoint_share", fmt::format("{}", setup.checkpoints.share));
    set("worker.patience", fmt::format("{:.3f}s", seconds_of(setup.patience)));
    if (!setup.node.empty()) {
        set("worker.node", setup.node);
    }
    if (!setup.farm.authorities.empty()) {
        set("worker.authorities", setup.farm.authorities.string());
    }
    if (setup.metrics_port != 0) {
        set("worker.metrics_listen", setup.metrics_listen);
        set("worker.metrics_port", std::to_string(setup.metrics_port));
    }
    set("log.level", setup.log.level);
    set("log.format", setup.log.format);
    set("log.prompts", setup.log.prompts ? "true" : "false");
    if (!start.predecessor.value.empty()) {
        command.insert(command.end(), {"--predecessor", start.predecessor.value});
    }
    if (!start.crash.empty()) {
        command.insert(command.end(), {"--crash", start.crash});
    }
    return command;
}

Status run_workers(
    const WorkerSetup& setup,
    const std::function<void(const std::string&)>& say,
    const std::stop_token& drain,
    const std::stop_token& abandon
) {
    SupervisorOptions options;
    options.processes = setup.processes;
    options.command = [&](const ProcessStart& start) { return worker_command(setup, start); };
    options.environment = {{kWorkerKeyVariable, setup.farm.key}};
    options.new_worker = [] {
        return WorkerId{new_ulid(Clock::system().wall(), Entropy::system())};
    };
    options.say = say;
    options.drain_timeout = setup.drain_timeout;
    return supervise(options, drain, abandon);
}

WorkerExit run_worker_process(
    const WorkerSetup& setup,
    const WorkerProcess& process,
    const std::stop_token& drain,
    const std::stop_token& abandon
) {
    const auto log = open_log(setup.log);
    LogMailbox mailbox;
    log->add([&mailbox](const LogRecord& record) { mailbox.put(record); });
    const auto say = [&](const std::string& line) {
        LogRecord record;
        record.message = line;
        record.worker = process.worker;
        log->write(std::move(record));
    };
    SayingListener listener(say);
    const ModelShelf shelf(find_locations());
    const EngineChoice engine{.threads = threads_of(setup), .cache = true};
    const auto metrics = std::make_shared<Metrics>();
    FarmRenderer renderer(shelf, engine, model_bytes_of(setup), listener, *metrics);
    if (const auto ready = renderer.prepare(); !ready) {
        say(ready.error().message);
        return WorkerExit::kFailed;
    }
    std::unique_ptr<http::Server> scraped;
    if (setup.metrics_port != 0) {
        auto started = serve_metrics(setup, process, metrics);
        if (!started) {
            say(started.error().message);
            return WorkerExit::kFailed;
        }
        scraped = *std::move(started);
    }
    WebSocketTransport transport(setup.farm);
    HttpTaskObjects objects(setup.farm);
    WorkerOptions options;
    options.identity.worker = {process.worker};
    options.identity.node = setup.node.empty() ? host_name() : setup.node;
    options.identity.program = version_text();
    options.identity.slots = setup.slots;
    if (scraped) {
        const bool is_any = setup.metrics_listen == "0.0.0.0" || setup.metrics_listen == "::";
        options.identity.metrics_address = fmt::format(
            "{}:{}", is_any ? options.identity.node : setup.metrics_listen, scraped->port()
        );
    }
    options.identity.predecessor = {process.predecessor};
    options.identity.predecessor_crash = process.crash;
    options.checkpoints = setup.checkpoints;
    options.patience = setup.patience;
    options.metrics = metrics;
    options.say = say;
    options.take_log = [&mailbox] { return mailbox.take(); };
    options.on_task_log = [&](const AssignTask& task, const std::string& line) {
        log->write(record_of(task, line, setup.log.prompts));
    };
    options.on_stuck = [say](const std::string& why) {
        say(why);
        // Threads that do not move cannot be joined. What was reported has a moment to leave.
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        ::_exit(static_cast<int>(WorkerExit::kStuck));
    };
    Worker worker(
        std::move(options), transport, objects, renderer, Clock::system(), Entropy::system()
    );
    if (const auto ended = worker.run(drain, abandon); !ended) {
        say(ended.error().message);
        return WorkerExit::kRefused;
    }
    return WorkerExit::kLeft;
}

}  // namespace tessera::cli
