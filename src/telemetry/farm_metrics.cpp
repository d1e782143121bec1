#include "telemetry/farm_metrics.h"

#include <algorithm>

namespace tessera::metric {
namespace {

constexpr std::array kAll{
    &kJobsSubmitted,
    &kJobsEnded,
    &kJobsInFlight,
    &kPictures,
    &kWorkDone,
    &kAttempts,
    &kRetries,
    &kDeadTasks,
    &kWait,
    &kRun,
    &kJobSeconds,
    &kQueueTasks,
    &kQueueWaiting,
    &kQueueOldest,
    &kQueueCost,
    &kBacklog,
    &kDecision,
    &kEstimateError,
    &kLeaseExpiries,
    &kStaleCommits,
    &kWorkers,
    &kWorkerSlots,
    &kWorkerTasks,
    &kWorkerBusy,
    &kWorkerHeartbeatAge,
    &kWorkerMemory,
    &kWorkersLost,
    &kWorkerEngine,
    &kStage,
    &kStep,
    &kModelLoads,
    &kModelLoadSeconds,
    &kModelEvictions,
    &kCacheRequests,
    &kHttpRequests,
    &kHttpSeconds,
    &kAuthFailures,
    &kRateLimited,
    &kStoreSeconds,
    &kStoreBytes,
    &kStoreFree,
    &kServerMemory,
    &kCertificateExpiry,
    &kTracesExported,
    &kBuildInfo,
};

constexpr std::array kOfWorkers{
    &kStep, &kModelLoads, &kModelLoadSeconds, &kModelEvictions, &kCacheRequests};

}  // namespace

std::span<const MetricFamily* const> all() {
    return kAll;
}

const MetricFamily* of_workers(std::string_view name) {
    const auto found = std::ranges::find(kOfWorkers, name, [](const MetricFamily* family) {
        return family->name;
    });
    return found == kOfWorkers.end() ? nullptr : *found;
}

}  // namespace tessera::metric
