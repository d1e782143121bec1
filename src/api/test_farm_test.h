#pragma once

#include "api/api.h"
#include "api/object_grants.h"
#include "base/hash.h"
#include "events/job_traces.h"
#include "events/queue_events.h"
#include "events/queue_metrics.h"
#include "http/client.h"
#include "queue/sqlite_task_queue.h"
#include "storage/folder_store.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <stdlib.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace tessera::api {

/// Bytes that FakeCatalog takes for a picture: "PNG:<width>x<height>:<anything>", and "PNGA:" for
/// one with an alpha channel.
inline std::string fake_picture(int width, int height, const std::string& text = "") {
    return fmt::format("PNG:{}x{}:{}", width, height, text);
}

/// One model, two samplers, and pictures that are text.
class FakeCatalog final : public Catalog {
  public:
    [[nodiscard]] std::vector<ModelEntry> models() const override {
        ModelEntry model;
        model.name = "demo";
        model.hash = sha256_hex(as_bytes("demo"));
        model.width = 64;
        model.height = 64;
        model.steps = 8;
        model.sampler = "Euler a";
        model.is_default = true;
        model.description = "a model for tests";
        model.vocabulary = {"scenes: mountains, sea"};
        return {model};
    }
    [[nodiscard]] std::vector<SamplerEntry> samplers() const override {
        return {{"Euler a", {"k_euler_a"}}, {"DDIM", {}}};
    }
    [[nodiscard]] std::vector<std::string> schedules() const override {
        return {"Automatic", "Karras"};
    }
    [[nodiscard]] std::vector<UpscalerEntry> upscalers() const override { return {{"x2", 2}}; }
    [[nodiscard]] std::vector<StyleEntry> styles() const override {
        return {{"bright", "bright colours", "dark"}};
    }
    [[nodiscard]] std::vector<std::string> embeddings() const override { return {}; }

    [[nodiscard]] Result<std::pair<JobSpec, ResolvedJob>> resolve(JobSpec spec) const override {
        if (spec.kind == JobKind::kUpscale) {
            return resolve_upscale(std::move(spec));
        }
        RenderSettings& render = spec.render;
        if (!render.model.empty() && render.model != "demo") {
            return fail(
                ErrorKind::kInvalidArgument, "--model {} is not installed; try demo", render.model
            );
        }
        render.model = "demo";
        if (!render.sampler.empty() && render.sampler != "Euler a" && render.sampler != "DDIM") {
            return fail(
                ErrorKind::kInvalidArgument,
                "--sampler {} is unknown; did you mean \"Euler a\"?",
                render.sampler
            );
        }
        if (render.sampler.empty()) {
            render.sampler = "Euler a";
        }
        render.steps = render.steps.value_or(8);
        render.cfg = render.cfg.value_or(7.0);
        if (*render.steps < 1) {
            return fail(ErrorKind::kInvalidArgument, "--steps must be at least 1");
        }
        if (render.seed.empty() || render.seed == "-1") {
            render.seed = std::to_string(Entropy::system().next() % 4'000'000'000U);
        }
        ResolvedJob resolved;
        resolved.size = {64, 64};
        if (!render.size.empty() && !read_size(render.size, resolved.size)) {
            return fail(ErrorKind::kInvalidArgument, "--size {} is no size", render.size);
        }
        render.size = fmt::format("{}x{}", resolved.size.width, resolved.size.height);
        resolved.affinity = "demo " + models().front().hash;
        resolved.recipe = R"({"prompt":"in full"})";
        resolved.passes = {{resolved.size, *render.steps, true}};
        if (resolved.size.width > 512) {
            resolved.remarks = {"the picture is larger than the model was trained for"};
        }
        return std::pair(std::move(spec), std::move(resolved));
    }

    [[nodiscard]] Result<UploadEntry> inspect(ByteView picture) const override {
        const std::string_view text = as_text(picture);
        const bool has_alpha = text.starts_with("PNGA:");
        PixelSize size;
        const auto begin = text.find(':');
        const bool is_picture =
            text.starts_with("PNG") && begin != std::string_view::npos &&
            read_size(
                std::string(text.substr(begin + 1, text.find(':', begin + 1) - begin - 1)), size
            );
        if (!is_picture) {
            return fail(ErrorKind::kInvalidArgument, "this is no PNG, JPEG or WebP picture");
        }
        return UploadEntry{size.width, size.height, "image/png", has_alpha};
    }
    [[nodiscard]] Result<Bytes> mask_from_alpha(ByteView picture) const override {
        TESSERA_ASSIGN(const UploadEntry entry, inspect(picture));
        if (!entry.has_alpha) {
            return fail(ErrorKind::kInvalidArgument, "the picture has no alpha channel");
        }
        const std::string mask = fake_picture(entry.width, entry.height, "mask");
        const ByteView bytes = as_bytes(mask);
        return Bytes(bytes.begin(), bytes.end());
    }
    [[nodiscard]] Result<std::map<std::string, std::string>> picture_texts(ByteView picture
    ) const override {
        TESSERA_TRY(inspect(picture));
        return std::map<std::string, std::string>{
            {"parameters", "a lighthouse\nSteps: 8, Sampler: Euler a, Seed: 7, Size: 64x64"}};
    }
    [[nodiscard]] Result<Bytes> convert(
        ByteView picture, const std::string& format, std::optional<int> /*quality*/
    ) const override {
        const std::string converted = format + " of " + std::string(as_text(picture));
        const ByteView bytes = as_bytes(converted);
        return Bytes(bytes.begin(), bytes.end());
    }

  private:
    static bool read_size(const std::string& text, PixelSize& size) {
        return std::sscanf(text.c_str(), "%dx%d", &size.width, &size.height) == 2 &&
               size.width > 0 && size.height > 0;
    }
    [[nodiscard]] Result<std::pair<JobSpec, ResolvedJob>> resolve_upscale(JobSpec spec) const {
        if (spec.init.empty()) {
            return fail(ErrorKind::kInvalidArgument, "--init is missing: nothing to enlarge");
        }
        ResolvedJob resolved;
        resolved.recipe = "{}";
        resolved.affinity = "x2";
        resolved.size = {128, 128};
        resolved.enlargement = Enlargement{2.0, 1024};
        spec.upscale.upscaler = "x2";
        return std::pair(std::move(spec), std::move(resolved));
    }
};

/// A worker without a process: holds what it is given until the test says what becomes of it.
class FakeWorker {
  public:
    FakeWorker(
        Dispatcher& dispatcher,
        ObjectStore& store,
        std::string name,
        int slots,
        std::string metrics_address = {}
    )
        : dispatcher_(dispatcher), store_(store), inbox_(std::make_shared<Inbox>()) {
        link_ = dispatcher_.link_opened(inbox_);
        WorkerHello hello;
        hello.worker = WorkerId{std::move(name)};
        hello.node = "here";
        hello.program = "tessera 0";
        hello.fingerprint = "fingerprint";
        hello.slots = slots;
        hello.metrics_address = std::move(metrics_address);
        hello.models = {{"demo " + sha256_hex(as_bytes("demo")), true}, {"x2", true}};
        dispatcher_.link_message(link_, std::move(hello));
        dispatcher_.link_message(link_, WorkerReady{slots});
    }
    ~FakeWorker() { dispatcher_.link_closed(link_); }
    FakeWorker(const FakeWorker&) = delete;
    FakeWorker& operator=(const FakeWorker&) = delete;

    /// The next task that it is given; waits for it.
    [[nodiscard]] AssignTask take() {
        std::unique_lock lock(inbox_->mutex);
        const bool came = inbox_->changed.wait_for(lock, std::chrono::seconds(20), [&] {
            return !inbox_->tasks.empty();
        });
        EXPECT_TRUE(came) << "no task came";
        if (!came) {
            return {};
        }
        AssignTask task = std::move(inbox_->tasks.front());
        inbox_->tasks.pop_front();
        return task;
    }
    /// Waits until the server wants that task stopped.
    [[nodiscard]] bool is_told_to_stop(const AssignTask& task) {
        std::unique_lock lock(inbox_->mutex);
        return inbox_->changed.wait_for(lock, std::chrono::seconds(20), [&] {
            return std::ranges::find(inbox_->cancelled, task.task) != inbox_->cancelled.end();
        });
    }

    void say(WorkerMessage message) { dispatcher_.link_message(link_, std::move(message)); }
    void beat(const AssignTask& task, int step, int steps, std::string preview = {}) {
        Heartbeat beat;
        beat.number = ++beats_;
        beat.tasks = {{task.task, task.epoch, {step, steps, "steps"}, std::move(preview)}};
        beat.models = {{"demo " + sha256_hex(as_bytes("demo")), true}, {"x2", true}};
        dispatcher_.link_message(link_, std::move(beat));
    }
    /// Its result is a text that says which task it was of.
    std::string finish(const AssignTask& task) {
        return finish(task, fake_picture(64, 64, to_string(task.task)));
    }
    std::string finish(const AssignTask& task, const std::string& picture) {
        const auto stored = store_.put(as_bytes(picture), "image/png");
        EXPECT_TRUE(stored.has_value());
        TaskResult result;
        result.object = {stored->sha256, stored->bytes, "image/png"};
        result.fingerprint = "fingerprint";
        result.times = {{"steps", 0.5}};
        result.recipe = R"({"prompt":"in full","seed":7})";
        result.width = 64;
        result.height = 64;
        dispatcher_.link_message(link_, TaskCompleted{task.task, task.epoch, std::move(result)});
        dispatcher_.link_message(link_, WorkerReady{1});
        return picture;
    }
    void fail_task(const AssignTask& task, const std::string& why, bool retryable = false) {
        TaskFailure failure;
        failure.retryable = retryable;
        failure.message = why;
        dispatcher_.link_message(link_, TaskFailed{task.task, task.epoch, std::move(failure)});
        dispatcher_.link_message(link_, WorkerReady{1});
    }

  private:
    struct Inbox final : WorkerLink {
        bool send(const ServerMessage& message) override {
            const std::lock_guard lock(mutex);
            if (const auto* task = std::get_if<AssignTask>(&message)) {
                tasks.push_back(*task);
            } else if (const auto* cancel = std::get_if<CancelTask>(&message)) {
                cancelled.push_back(cancel->task);
            }
            changed.notify_all();
            return true;
        }
        void close(const std::string& /*reason*/) override {}

        std::mutex mutex;
        std::condition_variable changed;
        std::deque<AssignTask> tasks;
        std::vector<TaskId> cancelled;
    };

    Dispatcher& dispatcher_;
    ObjectStore& store_;
    const std::shared_ptr<Inbox> inbox_;
    LinkId link_ = 0;
    std::uint64_t beats_ = 0;
};

/// Makes a folder and removes it.
class FarmFolder {
  public:
    FarmFolder() {
        auto name = (std::filesystem::temp_directory_path() / "tessera-api-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        path = name;
    }
    ~FarmFolder() { std::filesystem::remove_all(path); }
    FarmFolder(const FarmFolder&) = delete;
    FarmFolder& operator=(const FarmFolder&) = delete;

    std::filesystem::path path;
};

/// A whole farm on loopback, but for real workers and a real catalog. Keys of the tenants alice and
/// bob, of an administrator and of a worker.
class TestFarm {
  public:
    explicit TestFarm(
        const std::function<void(ApiSettings&)>& change = {}, const TenantLimits& limits = {}
    )
        : clock(Clock::system()), entropy(Entropy::system()) {
        SqliteQueueOptions queue_options;
        queue_options.path = folder.path / "queue.db";
        queue_options.retry.first_pause = std::chrono::milliseconds(1);
        queue = SqliteTaskQueue::open(queue_options, clock, entropy).value();
        store = FolderStore::open(folder.path / "store", {}, clock).value();
        keys = KeyRing::open(folder.path / "keys", clock, entropy).value();
        alice = keys->add("alice", "alice", Role::kUser)->key;
        bob = keys->add("bob", "bob", Role::kUser)->key;
        admin = keys->add("admin", "house", Role::kAdmin)->key;
        worker_key = keys->add("worker", "workers", Role::kWorker)->key;
        queue_events = std::make_unique<QueueEvents>(
            bus,
            clock,
            [this](const JobId& id) {
                auto job = queue->job(id);
                return job ? std::optional(*std::move(job)) : std::nullopt;
            },
            [](const JobId& /*id*/) { return std::optional<QueuePlace>(); }
        );
        objects = std::make_shared<ObjectDesk>(*queue, *store, clock, folder.path / "uploads");
        queue_metrics =
            std::make_unique<QueueMetrics>(*metrics, clock, unfinished_jobs(*queue).value());
        watch = queue->watch([this](const QueueEvent& event) {
            queue_events->hear(event);
            queue_metrics->hear(event);
            traces->hear(event);
            objects->hear(event);
        });

        log_file = LogFile::open(folder.path / "logs").value();
        ApiSettings settings;
        settings.open = false;
        settings.version = "0.1.0";
        settings.object_secret = std::string(32, 's');
        settings.requests_per_second = 100'000.0;
        settings.burst = 100'000.0;
        if (change) {
            change(settings);
        }
        DispatcherOptions options;
        options.metrics = metrics;
        options.object_token =
            object_token_maker(object_tokens(settings.object_secret).value(), clock);
        options.on_preview =
            [this](const Claim& claim, const TaskProgress& progress, const std::string& jpeg) {
                queue_events->preview(claim, progress, jpeg);
            };
        options.say = [](const std::string& /*line*/) {};
        dispatcher = std::make_unique<Dispatcher>(options, *queue, clock, entropy);
        dispatcher->start();
        desk =
            std::make_unique<SubmissionDesk>(catalog, *queue, *dispatcher, limits, clock, entropy);
        const ApiParts parts{
            *queue,
            *store,
            bus,
            *dispatcher,
            catalog,
            *keys,
            *desk,
            clock,
            entropy,
            settings,
            objects,
            log_file,
            metrics,
            traces};
        http::Router router = make_router(parts);
        routes = router.routes();
        server = http::Server::start({}, std::move(router)).value();
    }
    ~TestFarm() { server->stop(std::chrono::milliseconds(0)); }
    TestFarm(const TestFarm&) = delete;
    TestFarm& operator=(const TestFarm&) = delete;

    [[nodiscard]] std::string url() const {
        return fmt::format("http://127.0.0.1:{}", server->port());
    }
    [[nodiscard]] http::Client client() const { return http::Client::open(url()).value(); }

    /// Sends one request on a connection of its own.
    http::Response send(http::Request request, const std::string& key = {}) const {
        if (!key.empty()) {
            request.fields.set("Authorization", "Bearer " + key);
        }
        auto answer = client().send(request);
        EXPECT_TRUE(answer.has_value()) << request.method << " " << request.target << ": "
                                        << (answer ? "" : answer.error().message);
        return answer.value_or(http::Response{});
    }
    http::Response send(
        const std::string& method,
        const std::string& target,
        const std::string& key,
        std::string body = {},
        const std::string& type = "application/json"
    ) const {
        http::Request request;
        request.method = method;
        request.target = target;
        if (!body.empty()) {
            request.fields.set("Content-Type", type);
        }
        request.body = std::move(body);
        return send(std::move(request), key);
    }
    http::Response get(const std::string& target, const std::string& key) const {
        return send("GET", target, key);
    }
    http::Response post(
        const std::string& target, const std::string& key, const nlohmann::json& body
    ) const {
        return send("POST", target, key, body.dump());
    }

    [[nodiscard]] FakeWorker worker(
        std::string name = "worker-1", int slots = 1, std::string metrics_address = {}
    ) {
        return {*dispatcher, *store, std::move(name), slots, std::move(metrics_address)};
    }
    /// Waits until a job has ended; the view it ended as.
    JobView ended(const std::string& id) const {
        return wait_for(id, [](const JobView& job) {
            return is_final(job.state) && std::ranges::all_of(job.tasks, [](const TaskView& task) {
                       return task.state != TaskState::kDone || task.result;
                   });
        });
    }
    JobView wait_for(const std::string& id, const std::function<bool(const JobView&)>& wanted)
        const {
        std::mutex mutex;
        std::condition_variable changed;
        bool has_news = true;
        const auto listening = queue->watch([&](const QueueEvent& event) {
            const std::lock_guard lock(mutex);
            has_news = has_news || event.job.value == id;
            changed.notify_all();
        });
        for (;;) {
            {
                std::unique_lock lock(mutex);
                if (!changed.wait_for(lock, std::chrono::seconds(20), [&] { return has_news; })) {
                    ADD_FAILURE() << "job " << id << " never came so far";
                    return {};
                }
                has_news = false;
            }
            auto job = queue->job(JobId{id});
            if (!job || wanted(*job)) {
                return job.value_or(JobView{});
            }
        }
    }

    FarmFolder folder;
    const Clock& clock;
    Entropy& entropy;
    FakeCatalog catalog;
    EventBus bus;
    std::unique_ptr<SqliteTaskQueue> queue;
    std::unique_ptr<FolderStore> store;
    std::unique_ptr<KeyRing> keys;
    std::string alice;
    std::string bob;
    std::string admin;
    std::string worker_key;
    std::unique_ptr<QueueEvents> queue_events;
    std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
    std::shared_ptr<LogFile> log_file;
    std::shared_ptr<JobTraces> traces =
        std::make_shared<JobTraces>(Clock::system(), std::vector<JobView>());
    std::unique_ptr<QueueMetrics> queue_metrics;
    std::shared_ptr<ObjectDesk> objects;
    std::shared_ptr<void> watch;
    std::unique_ptr<Dispatcher> dispatcher;
    std::unique_ptr<SubmissionDesk> desk;
    std::vector<std::pair<std::string, std::string>> routes;
    std::unique_ptr<http::Server> server;
};

[[nodiscard]] inline nlohmann::json json_of(const http::Response& response) {
    auto json = nlohmann::json::parse(response.body, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << response.status << " " << response.body;
    return json;
}

}  // namespace tessera::api
