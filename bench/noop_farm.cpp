#include "noop_farm.h"

#include "api/object_grants.h"
#include "base/hash.h"

#include <fmt/format.h>

#include <cstdlib>

namespace tessera::bench {
namespace {

constexpr const char* kWorkerKey = "the bench's own worker";

template <typename T>
T must(Result<T> result) {
    if (!result) {
        fmt::print(stderr, "{}\n", result.error().message);
        std::exit(1);
    }
    return *std::move(result);
}

}  // namespace

/// One model of 64 x 64 pixels and 8 steps.
class NoopFarm::Models final : public api::Catalog {
  public:
    std::vector<api::ModelEntry> models() const override {
        api::ModelEntry model;
        model.name = "noop";
        model.hash = sha256_hex(as_bytes("noop"));
        model.is_default = true;
        return {model};
    }
    std::vector<api::SamplerEntry> samplers() const override { return {{"Euler", {}}}; }
    std::vector<std::string> schedules() const override { return {"Automatic"}; }
    std::vector<api::UpscalerEntry> upscalers() const override { return {}; }
    std::vector<api::StyleEntry> styles() const override { return {}; }
    std::vector<std::string> embeddings() const override { return {}; }
    Result<std::pair<JobSpec, ResolvedJob>> resolve(JobSpec spec) const override {
        spec.render.model = "noop";
        spec.render.sampler = "Euler";
        spec.render.steps = 8;
        spec.render.size = "64x64";
        ResolvedJob resolved;
        resolved.size = {64, 64};
        resolved.affinity = "noop";
        resolved.recipe = "{}";
        resolved.passes = {{resolved.size, 8, true}};
        return std::pair(std::move(spec), std::move(resolved));
    }
    Result<api::UploadEntry> inspect(ByteView /*picture*/) const override { return none(); }
    Result<Bytes> mask_from_alpha(ByteView /*picture*/) const override { return none(); }
    Result<std::map<std::string, std::string>> picture_texts(ByteView /*picture*/) const override {
        return none();
    }
    Result<Bytes> convert(
        ByteView /*picture*/, const std::string& /*format*/, std::optional<int> /*quality*/
    ) const override {
        return none();
    }

  private:
    static tl::unexpected<Error> none() {
        return fail(ErrorKind::kUnsupported, "there are no pictures here");
    }
};

Result<TaskResult> NoopRunner::run(
    const AssignTask& /*task*/, TaskContext& context, const std::stop_token& /*stop*/
) {
    using std::chrono::steady_clock;
    {
        const std::lock_guard lock(mutex_);
        if (!free_slots_.empty()) {
            const std::chrono::duration<double, std::milli> waited =
                steady_clock::now() - free_slots_.front();
            free_slots_.pop_front();
            waits_.push_back(waited.count());
        }
        if (!picture_) {
            TESSERA_ASSIGN(picture_, context.store(as_bytes("a picture"), "image/png"));
        }
    }
    if (takes_.count() > 0) {
        std::this_thread::sleep_for(takes_);
    }
    TaskResult result;
    const std::lock_guard lock(mutex_);
    result.object = *picture_;
    result.fingerprint = "noop";
    result.recipe = "{}";
    result.width = 64;
    result.height = 64;
    free_slots_.push_back(steady_clock::now());
    return result;
}

std::vector<double> NoopRunner::waits_in_milliseconds() const {
    const std::lock_guard lock(mutex_);
    return waits_;
}

NoopFarm::NoopFarm(const std::filesystem::path& folder) : models_(std::make_unique<Models>()) {
    const Clock& clock = Clock::system();
    Entropy& entropy = Entropy::system();
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    SqliteQueueOptions queue_options;
    queue_options.path = folder / "queue.db";
    queue_ = must(SqliteTaskQueue::open(queue_options, clock, entropy));
    store_ = must(FolderStore::open(folder / "store", {}, clock));
    keys_ = must(api::KeyRing::open(folder / "keys", clock, entropy));
    events_ = std::make_unique<QueueEvents>(
        bus_,
        clock,
        [this](const JobId& id) {
            auto job = queue_->job(id);
            return job ? std::optional(*std::move(job)) : std::nullopt;
        },
        [](const JobId& /*id*/) { return std::optional<QueuePlace>(); }
    );
    queue_metrics_ = std::make_unique<QueueMetrics>(*metrics_, clock, std::vector<JobView>());
    events_watch_ = queue_->watch([this](const QueueEvent& event) {
        events_->hear(event);
        queue_metrics_->hear(event);
        traces_->hear(event);
    });
    ended_watch_ = queue_->watch([this](const QueueEvent& event) {
        if (event.kind == QueueEvent::Kind::kJobEnded) {
            ++ended_;
            ended_.notify_all();
        }
    });

    api::ApiSettings settings;
    settings.version = "bench";
    settings.object_secret = std::string(32, 's');
    settings.worker_key = kWorkerKey;
    settings.requests_per_second = 1e9;
    settings.burst = 1e9;
    DispatcherOptions options;
    options.object_token =
        api::object_token_maker(must(api::object_tokens(settings.object_secret)), clock);
    options.say = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
    options.metrics = metrics_;
    dispatcher_ = std::make_unique<Dispatcher>(std::move(options), *queue_, clock, entropy);
    dispatcher_->start();
    TenantLimits limits;
    limits.max_queued_tasks = 1'000'000;
    limits.max_queued_cost = 1e12;
    desk_ = std::make_unique<api::SubmissionDesk>(
        *models_, *queue_, *dispatcher_, limits, clock, entropy
    );
    const api::ApiParts parts{
        *queue_,
        *store_,
        bus_,
        *dispatcher_,
        *models_,
        *keys_,
        *desk_,
        clock,
        entropy,
        settings,
        std::make_shared<api::ObjectDesk>(*queue_, *store_, clock, folder / "uploads"),
        must(LogFile::open(folder / "logs")),
        metrics_,
        traces_};
    server_ = must(http::Server::start({}, api::make_router(parts)));
}

NoopFarm::~NoopFarm() {
    abandon_.request_stop();
    drain_.request_stop();
    if (worker_.joinable()) {
        worker_.join();
    }
    server_->stop(std::chrono::milliseconds(0));
}

std::string NoopFarm::url() const {
    return fmt::format("http://127.0.0.1:{}", server_->port());
}

void NoopFarm::work(NoopRunner& runner, int slots) {
    worker_ = std::jthread([this, &runner, slots] {
        const cli::FarmAddress address{url(), kWorkerKey, {}};
        cli::WebSocketTransport transport(address);
        cli::HttpTaskObjects objects(address);
        WorkerOptions options;
        options.identity.worker = WorkerId{"bench"};
        options.identity.node = "here";
        options.identity.program = "bench";
        options.identity.slots = slots;
        options.say = [](const std::string& line) { fmt::print(stderr, "worker: {}\n", line); };
        options.on_stuck = options.say;
        Worker worker(
            std::move(options), transport, objects, runner, Clock::system(), Entropy::system()
        );
        if (const auto left = worker.run(drain_.get_token(), abandon_.get_token()); !left) {
            fmt::print(stderr, "worker: {}\n", left.error().message);
        }
    });
}

void NoopFarm::wait_for_ended(std::size_t jobs) const {
    for (auto ended = ended_.load(); ended < jobs; ended = ended_.load()) {
        ended_.wait(ended);
    }
}

std::string noop_job() {
    return R"({"prompt":"a lighthouse by the sea at dawn, oil on canvas","steps":8,"seed":7})";
}

}  // namespace tessera::bench
