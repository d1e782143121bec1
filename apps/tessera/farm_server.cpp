#include "tessera/farm_server.h"

#include "api/object_desk.h"
#include "api/object_grants.h"
#include "base/entropy.h"
#include "base/file.h"
#include "events/job_traces.h"
#include "events/queue_events.h"
#include "events/queue_log.h"
#include "events/queue_metrics.h"
#include "http/certificate.h"
#include "queue/sqlite_task_queue.h"
#include "storage/measured_store.h"
#include "storage/object_token.h"
#include "telemetry/farm_metrics.h"
#include "telemetry/log_file.h"
#include "tessera/farm_catalog.h"
#include "tessera/render_listener.h"
#include "tessera/trace_export.h"
#include "tessera/version.h"

#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <system_error>

namespace tessera::cli {
namespace {

constexpr std::chrono::seconds kPlacesPause{1};
/// Between two looks at what ended tasks left behind.
constexpr std::chrono::seconds kTidyPause{15};
constexpr std::size_t kPlacesTold = 200;
constexpr int kJobsAtOnce = 100;
/// Uploads that no job refers to.
constexpr std::chrono::hours kKeepUploads{7 * 24};
/// Open files that are no connections: database, objects, pipes to workers.
constexpr std::size_t kOwnFiles = 256;

std::optional<QueuePlace> place_of(const Dispatcher& dispatcher, const JobId& job) {
    const auto outlook = dispatcher.outlook(job);
    if (!outlook || outlook->running) {
        return std::nullopt;
    }
    const Instant now = Clock::system().now();
    return QueuePlace{
        outlook->position,
        std::max(0.0, seconds_of(outlook->start - now)),
        std::max(0.0, seconds_of(outlook->finish - now))};
}

/// As many files as this process may have open, after asking for more.
std::size_t most_open_files() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
    return files.rlim_cur;
}

/// What signs workers' tokens and links to pictures. It outlives the server, so that a worker which
/// goes on through a restart can still deliver.
Result<std::string> kept_secret(const std::filesystem::path& file, Entropy& entropy) {
    ObjectTokens::Secret secret{};
    if (auto kept = read_file(file, secret.size()); kept && kept->size() == secret.size()) {
        return kept;
    }
    entropy.fill(secret);
    TESSERA_TRY(write_file_atomically(file, secret));
    std::error_code error;
    std::filesystem::permissions(
        file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error
    );
    return std::string(as_text(secret));
}

}  // namespace

struct FarmServer::Parts {
    explicit Parts(Log& its_log) : log(its_log) {}

    FarmServerOptions options;
    Log& log;
    const std::function<void(const std::string&)> say = [this](const std::string& line) {
        log.write(LogLevel::kInfo, line);
    };
    const Clock& clock = Clock::system();
    Entropy& entropy = Entropy::system();

    const std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
    std::unique_ptr<TraceExport> trace_export;  ///< where it is asked for

    std::optional<SayingListener> listener;
    std::optional<ModelShelf> shelf;
    std::unique_ptr<FolderStore> folder;
    std::unique_ptr<MeasuredStore> store;  ///< the same
    std::unique_ptr<SqliteTaskQueue> queue;
    std::unique_ptr<EventBus> events;
    std::unique_ptr<QueueEvents> queue_events;
    std::unique_ptr<QueueMetrics> queue_metrics;
    std::shared_ptr<JobTraces> traces;
    std::shared_ptr<LogFile> log_file;
    std::optional<QueueLog> queue_log;
    std::shared_ptr<api::ObjectDesk> objects;
    std::shared_ptr<void> event_watch;
    std::unique_ptr<Dispatcher> dispatcher;
    std::optional<FarmCatalog> catalog;
    std::unique_ptr<api::KeyRing> keys;
    std::unique_ptr<api::SubmissionDesk> desk;
    std::optional<api::ApiParts> api;
    std::unique_ptr<http::Server> http;
    std::unique_ptr<http::Server> workers_http;  ///< of TLS: without it, for this machine alone
    std::string url;
    std::optional<std::string> new_admin_key;
    std::shared_ptr<void> collected;
    std::jthread housekeeper;

    [[nodiscard]] std::filesystem::path uploads() const { return options.data / "uploads"; }
    Status open(Locations locations);
    Status open_data();
    Status open_keys();
    Status connect_queue();
    Status start_traces(const std::vector<JobView>& unfinished);
    Status serve();
    Status serve_own_workers();
    void write_metrics(MetricWriter& writer) const;
    void keep_house(const std::stop_token& stop);
    void tidy();
    void clean();
    Result<std::uint64_t> picture_bytes(const JobId& id) const;
    Result<std::vector<EndedJob>> ended_jobs() const;
    void forget_old_jobs();
};

Status FarmServer::Parts::open(Locations locations) {
    listener.emplace(say);
    shelf.emplace(std::move(locations));
    TESSERA_TRY(open_data());
    TESSERA_TRY(open_keys());
    TESSERA_TRY(connect_queue());
    catalog.emplace(*shelf, *store, *listener, *metrics);
    desk = std::make_unique<api::SubmissionDesk>(
        *catalog, *queue, *dispatcher, options.limits, clock, entropy
    );
    TESSERA_TRY(serve());
    dispatcher->start();
    housekeeper = std::jthread([this](const std::stop_token& stop) { keep_house(stop); });
    return {};
}

Status FarmServer::Parts::open_data() {
    std::error_code error;
    std::filesystem::create_directories(options.data, error);
    if (!error) {
        std::filesystem::permissions(options.data, std::filesystem::perms::owner_all, error);
    }
    if (error) {
        return fail(
            ErrorKind::kUnavailable,
            "cannot use {} for the farm's data: {}; name another folder by --data",
            options.data.string(),
            error.message()
        );
    }
    TESSERA_ASSIGN(log_file, LogFile::open(options.data / "logs"));
    log.add([file = log_file](const LogRecord& record) { file->write(record); });
    SqliteQueueOptions database;
    database.path = options.data / "jobs.db";
    database.retry = options.retry;
    database.grace = options.dispatcher.lease;
    TESSERA_ASSIGN(queue, SqliteTaskQueue::open(std::move(database), clock, entropy));
    TESSERA_ASSIGN(folder, FolderStore::open(options.store_folder, options.store, clock));
    store = std::make_unique<MeasuredStore>(*folder, *metrics);
    collected = metrics->collect([this](MetricWriter& writer) { write_metrics(writer); });
    return {};
}

Status FarmServer::Parts::open_keys() {
    TESSERA_ASSIGN(keys, api::KeyRing::open(options.data / "keys", clock, entropy));
    if (keys->empty() && !options.api.open) {
        TESSERA_ASSIGN(auto made, keys->add("admin", "admin", api::Role::kAdmin));
        new_admin_key = std::move(made.key);
    }
    TESSERA_ASSIGN(
        options.api.object_secret, kept_secret(options.data / "objects.secret", entropy)
    );
    options.api.worker_key = "tsr_local_" + random_base62(32, entropy);
    options.api.version = version_text();
    return {};
}

Status FarmServer::Parts::connect_queue() {
    // Numbers of events begin anew with each life of the server.
    EventBusLimits limits;
    limits.incarnation = queue->incarnation();
    events = std::make_unique<EventBus>(limits);
    const auto job_of = [this](const JobId& id) -> std::optional<JobView> {
        auto view = queue->job(id);
        return view ? std::optional(*std::move(view)) : std::nullopt;
    };
    queue_events = std::make_unique<QueueEvents>(*events, clock, job_of, [this](const JobId& id) {
        return place_of(*dispatcher, id);
    });
    DispatcherOptions dispatching = options.dispatcher;
    TESSERA_ASSIGN(const ObjectTokens tokens, api::object_tokens(options.api.object_secret));
    dispatching.object_token = api::object_token_maker(tokens, clock);
    dispatching.has_object = [this](const std::string& sha256) {
        return store->info(sha256).has_value();
    };
    dispatching.on_preview =
        [this](const Claim& claim, const TaskProgress& progress, const std::string& jpeg) {
            queue_events->preview(claim, progress, jpeg);
        };
    dispatching.say = say;
    dispatching.on_log = [this](LogRecord record) { log.write(std::move(record)); };
    dispatching.metrics = metrics;
    dispatcher = std::make_unique<Dispatcher>(std::move(dispatching), *queue, clock, entropy);
    objects = std::make_shared<api::ObjectDesk>(*queue, *store, clock, uploads());
    TESSERA_ASSIGN(const auto unfinished, unfinished_jobs(*queue));
    queue_log.emplace(log, job_of, options.log_prompts);
    queue_metrics = std::make_unique<QueueMetrics>(*metrics, clock, unfinished);
    TESSERA_TRY(start_traces(unfinished));
    event_watch = queue->watch([this](const QueueEvent& event) {
        queue_metrics->hear(event);
        traces->hear(event);
        queue_log->hear(event);
        queue_events->hear(event);
        objects->hear(event);
    });
    return {};
}

Status FarmServer::Parts::start_traces(const std::vector<JobView>& unfinished) {
    JobTraces::OnEnd on_end;
    if (!options.trace_endpoint.empty()) {
        TraceExportOptions exporting;
        exporting.endpoint = options.trace_endpoint;
        exporting.version = options.api.version;
        exporting.say = say;
        auto started = TraceExport::start(std::move(exporting), *metrics);
        if (!started) {
            return fail(ErrorKind::kInvalidArgument, "trace.endpoint: {}", started.error().message);
        }
        trace_export = *std::move(started);
        on_end = [this](std::shared_ptr<const JobHistory> life) {
            trace_export->add(std::move(life));
        };
    }
    traces = std::make_shared<JobTraces>(clock, unfinished, JobTraceLimits{}, std::move(on_end));
    return {};
}

Status FarmServer::Parts::serve() {
    api.emplace(api::ApiParts{
        *queue,
        *store,
        *events,
        *dispatcher,
        *catalog,
        *keys,
        *desk,
        clock,
        entropy,
        options.api,
        objects,
        log_file,
        metrics,
        traces});
    const bool secure = options.http.tls.has_value();
    const std::string address = options.http.address;
    if (const auto files = most_open_files(); files < options.http.connection_limit + kOwnFiles) {
        options.http.connection_limit = std::max(files, kOwnFiles + 1) - kOwnFiles;
        say(fmt::format(
            "the system allows {} open files: at most {} connections are taken (ulimit -n)",
            files,
            options.http.connection_limit
        ));
    }
    TESSERA_ASSIGN(http, http::Server::start(options.http, api::make_router(*api)));
    url = fmt::format("{}://{}:{}", secure ? "https" : "http", address, http->port());
    return secure ? serve_own_workers() : Status();
}

/// A certificate speaks for the farm's name, which this machine's own workers do not call it by.
Status FarmServer::Parts::serve_own_workers() {
    http::ServerOptions local = options.http;
    local.address = "127.0.0.1";
    local.port = 0;
    local.tls.reset();
    TESSERA_ASSIGN(workers_http, http::Server::start(local, api::make_worker_router(*api)));
    return {};
}

void FarmServer::Parts::write_metrics(MetricWriter& writer) const {
    const auto account = folder->account();
    writer.write(metric::kStoreBytes, {}, static_cast<double>(account.used));
    if (const auto room = folder->room()) {
        writer.write(metric::kStoreFree, {}, static_cast<double>(*room));
    }
    if (options.http.tls) {
        if (const auto end = http::certificate_expiry(options.http.tls->certificate)) {
            writer.write(
                metric::kCertificateExpiry,
                {},
                std::chrono::duration<double>(end->time_since_epoch()).count()
            );
        }
    }
}

void FarmServer::Parts::keep_house(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    auto next_cleaning = std::chrono::steady_clock::now() + kPlacesPause;
    auto next_tidying = next_cleaning;
    while (!stop.stop_requested()) {
        std::unique_lock lock(mutex);
        never.wait_for(lock, stop, kPlacesPause, [] { return false; });
        if (events->subscribers() > 0) {
            queue_events->tell_places(kPlacesTold);
        }
        if (std::chrono::steady_clock::now() >= next_tidying) {
            tidy();
            next_tidying = std::chrono::steady_clock::now() + kTidyPause;
        }
        if (std::chrono::steady_clock::now() >= next_cleaning) {
            clean();
            next_cleaning = std::chrono::steady_clock::now() + options.sweep_interval;
        }
    }
}

Result<std::uint64_t> FarmServer::Parts::picture_bytes(const JobId& id) const {
    TESSERA_ASSIGN(const auto job, queue->job(id));
    std::uint64_t bytes = 0;
    for (const TaskView& task : job.tasks) {
        bytes += task.result ? task.result->object.bytes : 0;
    }
    return bytes;
}

/// Jobs that ended, the newest first; with what their pictures take where that is asked for.
Result<std::vector<EndedJob>> FarmServer::Parts::ended_jobs() const {
    std::vector<EndedJob> ended;
    JobFilter filter;
    filter.limit = kJobsAtOnce;
    while (true) {
        TESSERA_ASSIGN(const auto page, queue->jobs(filter));
        for (const JobView& job : page) {
            if (!is_final(job.state)) {
                continue;
            }
            EndedJob one{job.id, job.ended.value_or(job.submitted), 0};
            if (options.retention.max_bytes) {
                TESSERA_ASSIGN(one.bytes, picture_bytes(job.id));
            }
            ended.push_back(std::move(one));
        }
        if (static_cast<int>(page.size()) < filter.limit) {
            return ended;
        }
        filter.before = page.back().id;
    }
}

void FarmServer::Parts::forget_old_jobs() {
    if (!options.retention.max_age && !options.retention.max_bytes) {
        return;
    }
    auto ended = ended_jobs();
    if (!ended) {
        say("cannot look for old jobs: " + ended.error().message);
        return;
    }
    const auto old = expired_jobs(*std::move(ended), options.retention, clock.wall());
    std::size_t forgotten = 0;
    for (const JobId& job : old) {
        if (const Status gone = objects->forget_job(job); gone) {
            ++forgotten;
        } else if (gone.error().kind != ErrorKind::kNotFound) {
            say(fmt::format("cannot forget job {}: {}", job.value, gone.error().message));
            break;
        }
    }
    if (forgotten > 0) {
        tidy();
        say(fmt::format("forgot {} jobs that ended long ago", forgotten));
    }
}

void FarmServer::Parts::tidy() {
    if (const Status tidied = objects->tidy(); !tidied) {
        say("cannot look for what ended tasks left: " + tidied.error().message);
    }
}

/// Forgets jobs that are old enough, and objects that nobody refers to any more.
void FarmServer::Parts::clean() {
    forget_old_jobs();
    auto referenced = queue->referenced_objects();
    if (!referenced) {
        say("cannot look for objects that nobody needs: " + referenced.error().message);
        return;
    }
    auto uploaded = api::uploaded_objects(uploads(), kKeepUploads);
    referenced->insert(referenced->end(), uploaded.begin(), uploaded.end());
    const auto swept = folder->sweep(
        *std::move(referenced), std::max<Duration>(options.orphan_grace, api::ObjectDesk::kSettling)
    );
    if (!swept) {
        say("cannot remove objects that nobody needs: " + swept.error().message);
    } else if (swept->objects > 0) {
        say(fmt::format("removed {} objects that nobody needs", swept->objects));
    }
}

FarmServer::FarmServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

FarmServer::~FarmServer() {
    stop(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<FarmServer>> FarmServer::start(
    FarmServerOptions options, Locations locations, Log& log
) {
    auto parts = std::make_unique<Parts>(log);
    parts->options = std::move(options);
    TESSERA_TRY(parts->open(std::move(locations)));
    return std::unique_ptr<FarmServer>(new FarmServer(std::move(parts)));
}

const std::string& FarmServer::url() const {
    return parts_->url;
}

std::string FarmServer::worker_url() const {
    const auto& parts = *parts_;
    const bool is_secure = parts.workers_http != nullptr;
    const int port = is_secure ? parts.workers_http->port() : parts.http->port();
    const std::string& address = parts.options.http.address;
    const bool is_any = is_secure || address == "0.0.0.0" || address == "[::]" || address == "::";
    return fmt::format("http://{}:{}", is_any ? "127.0.0.1" : address, port);
}

const std::string& FarmServer::worker_key() const {
    return parts_->options.api.worker_key;
}

const std::optional<std::string>& FarmServer::new_admin_key() const {
    return parts_->new_admin_key;
}

Status FarmServer::reload_certificate() {
    return parts_->http->reload_certificate();
}

void FarmServer::stop(std::chrono::milliseconds grace) {
    if (parts_->http) {
        parts_->housekeeper = {};
        parts_->http->stop(grace);
        if (parts_->workers_http) {
            parts_->workers_http->stop(grace);
        }
        parts_->workers_http.reset();
        parts_->http.reset();  // their handlers use all that follows
        parts_->event_watch.reset();
        parts_->dispatcher->stop();
        parts_->queue->flush();  // whose answers go to the dispatcher
        parts_->dispatcher.reset();
    }
}

}  // namespace tessera::cli
