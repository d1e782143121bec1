// What measuring costs: an update, a look-up of a series, a scrape of a farm with 1,000 workers and
// 10,000 tasks that wait; google-benchmark's table.
#include "queue/sqlite_task_queue.h"
#include "scheduler/dispatcher.h"
#include "telemetry/farm_metrics.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

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

BENCHMARK(counter_add);
BENCHMARK(histogram_observe);
BENCHMARK(series_by_labels);
BENCHMARK(scrape)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tessera
