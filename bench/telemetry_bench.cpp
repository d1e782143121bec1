// What measuring costs: an update, a look-up of a series, a scrape of a farm with 1,000 workers and
// 10,000 tasks that wait; the trace of a job, kept and exported. google-benchmark's table.
#include "events/job_traces.h"
#include "queue/sqlite_task_queue.h"
#include "scheduler/dispatcher.h"
#include "telemetry/farm_metrics.h"
#include "telemetry/otlp.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tessera {
namespace {

void counter_add(benchmark::State& state) {
    Metrics metrics;
    const Counter counter = metrics.counter(metric::kDeadTasks);
    for (auto _ : state) {
        counter.add();
    }
}

void histogram_observe(benchmark::State& state) {
    Metrics metrics;
    const Histogram histogram = metrics.histogram(metric::kWait, {"normal"});
    double value = 0.01;
    for (auto _ : state) {
        histogram.observe(value);
        value = value < 500.0 ? value * 1.5 : 0.01;
    }
}

void series_by_labels(benchmark::State& state) {
    Metrics metrics;
    for (int i = 0; i < 40; ++i) {
        metrics.counter(metric::kPictures, {"tenant " + std::to_string(i)}).add();
    }
    for (auto _ : state) {
        metrics.counter(metric::kPictures, {"tenant 20"}).add();
    }
}

class SilentLink final : public WorkerLink {
  public:
    bool send(const ServerMessage& /*message*/) override { return true; }
    void close(const std::string& /*reason*/) override {}
};

JobPlan one_task(int number) {
    JobPlan plan;
    plan.spec.tenant = "tenant-" + std::to_string(number % 100);
    plan.affinity = "a-model 0123456789ab";
    plan.units.emplace_back();
    plan.tasks.emplace_back();
    plan.tasks.back().cost = 1.0;
    plan.tasks.back().publishes = true;
    return plan;
}

void scrape(benchmark::State& state) {
    constexpr int kWorkers = 1'000;
    constexpr int kTasks = 10'000;
    std::string name = (std::filesystem::temp_directory_path() / "tessera-bench-XXXXXX").string();
    const std::filesystem::path folder = ::mkdtemp(name.data());
    {
        const Clock& clock = Clock::system();
        SqliteQueueOptions options;
        options.path = folder / "queue.db";
        const auto queue =
            SqliteTaskQueue::open(std::move(options), clock, Entropy::system()).value();
        for (int i = 0; i < kTasks; ++i) {
            queue->enqueue({"job" + std::to_string(i)}, one_task(i), [](const auto&) {});
        }
        queue->flush();
        DispatcherOptions dispatching;
        dispatching.say = [](const std::string&) {};
        const auto metrics = dispatching.metrics;
        Dispatcher dispatcher(std::move(dispatching), *queue, clock, Entropy::system());
        for (int i = 0; i < kWorkers; ++i) {
            WorkerHello hello;
            hello.worker = {"worker-" + std::to_string(i)};
            hello.node = "node-" + std::to_string(i / 4);
            hello.fingerprint = std::string(32, 'f');
            dispatcher.link_message(
                dispatcher.link_opened(std::make_shared<SilentLink>()), std::move(hello)
            );
        }
        (void)dispatcher.step();
        std::size_t bytes = 0;
        for (auto _ : state) {
            bytes = metrics->text().size();
        }
        state.counters["bytes"] = static_cast<double>(bytes);
    }
    std::filesystem::remove_all(folder);
}

/// What the queue says of a job of one picture, from its submission to its end.
std::vector<QueueEvent> life_of(const JobId& job) {
    using Kind = QueueEvent::Kind;
    std::vector<QueueEvent> life;
    for (const Kind kind :
         {Kind::kJobQueued,
          Kind::kTaskReady,
          Kind::kJobRunning,
          Kind::kTaskClaimed,
          Kind::kTaskProgress,
          Kind::kTaskDone,
          Kind::kJobEnded}) {
        QueueEvent event;
        event.kind = kind;
        event.job = job;
        event.tenant = "tenant";
        event.task = {job, 0};
        event.worker = {"a-worker-of-some-node"};
        event.epoch = {1};
        if (kind == Kind::kJobQueued) {
            event.plan = std::make_shared<const JobPlan>(one_task(0));
        }
        if (kind == Kind::kTaskReady) {
            event.ready.emplace();
        }
        if (kind == Kind::kTaskDone) {
            event.result.emplace();
            event.result->times = {
                {"loading", 0.001}, {"text", 0.01}, {"steps", 1.7}, {"decoding", 0.2}};
        }
        event.job_state = JobState::kDone;
        life.push_back(std::move(event));
    }
    return life;
}

/// Jobs one after the other, in a ring that is full.
void trace_job(benchmark::State& state) {
    constexpr int kJobs = 4096;
    SeededEntropy entropy(1);
    std::vector<std::vector<QueueEvent>> lives;
    for (int i = 0; i < kJobs; ++i) {
        lives.push_back(life_of({new_ulid(Clock::system().wall(), entropy)}));
    }
    JobTraces traces(Clock::system(), {});
    std::size_t next = 0;
    for (auto _ : state) {
        for (const QueueEvent& event : lives[next++ % kJobs]) {
            traces.hear(event);
        }
    }
}

/// On the exporting thread.
void trace_to_otlp(benchmark::State& state) {
    std::shared_ptr<const JobHistory> life;
    JobTraces traces(Clock::system(), {}, {}, [&](auto ended) { life = std::move(ended); });
    for (const QueueEvent& event : life_of({"a-job"})) {
        traces.hear(event);
    }
    for (auto _ : state) {
        const auto spans = spans_of(*life);
        const SpanBatch batch{life->context.trace, spans};
        benchmark::DoNotOptimize(otlp_json({}, std::span(&batch, 1)));
    }
}

BENCHMARK(counter_add);
BENCHMARK(histogram_observe);
BENCHMARK(series_by_labels);
BENCHMARK(scrape)->Unit(benchmark::kMillisecond);
BENCHMARK(trace_job);
BENCHMARK(trace_to_otlp);

}  // namespace
}  // namespace tessera
