#include "scheduler/dispatch_metrics.h"

#include "scheduler/dispatcher.h"
#include "telemetry/farm_metrics.h"

#include <array>
#include <map>
#include <string_view>

namespace tessera {
namespace {

constexpr std::array kPriorities{Priority::kBatch, Priority::kNormal, Priority::kInteractive};

std::string_view state_of(const ConnectedWorker& worker) {
    if (worker.silent) {
        return "silent";
    }
    if (worker.view.draining) {
        return "draining";
    }
    return worker.tasks.empty() ? "idle" : "working";
}

void write_worker(const ConnectedWorker& worker, Instant now, MetricWriter& writer) {
    const LabelValues labels{worker.view.id.value, worker.view.node};
    writer.write(metric::kWorkerSlots, labels, worker.view.slots);
    writer.write(metric::kWorkerTasks, labels, static_cast<double>(worker.tasks.size()));
    writer.write(metric::kWorkerBusy, labels, seconds_of(worker.busy));
    writer.write(metric::kWorkerHeartbeatAge, labels, seconds_of(now - worker.last_beat));
    writer.write(metric::kWorkerMemory, labels, static_cast<double>(worker.memory_bytes));
    writer.write(metric::kWorkerEngine, {worker.view.id.value, worker.view.fingerprint}, 1.0);
}

}  // namespace

DispatchMetrics::DispatchMetrics(Metrics& metrics)
    : decision(metrics.histogram(metric::kDecision)),
      estimate_ratio(metrics.histogram(metric::kEstimateError)),
      stale_commits(metrics.counter(metric::kStaleCommits)),
      workers_lost(metrics.counter(metric::kWorkersLost)) {}

void write_metrics(const Dispatcher& dispatcher, Instant now, MetricWriter& writer) {
    std::map<std::string_view, int> states{
        {"working", 0}, {"idle", 0}, {"draining", 0}, {"silent", 0}};
    for (const ConnectedWorker& worker : dispatcher.workers()) {
        ++states[state_of(worker)];
        write_worker(worker, now, writer);
    }
    for (const auto& [state, count] : states) {
        writer.write(metric::kWorkers, {state}, count);
    }
    std::map<Priority, Duration> oldest;
    for (const WaitingLine& line : dispatcher.waiting()) {
        const double tasks = static_cast<double>(line.tasks);
        writer.write(metric::kQueueWaiting, {to_string(line.priority), line.tenant}, tasks);
        oldest[line.priority] = std::max(oldest[line.priority], line.oldest);
    }
    for (const Priority priority : kPriorities) {
        writer.write(metric::kQueueOldest, {to_string(priority)}, seconds_of(oldest[priority]));
    }
    writer.write(metric::kBacklog, {}, dispatcher.backlog_seconds());
}

}  // namespace tessera
