#pragma once

#include "telemetry/metrics.h"

#include <array>
#include <span>

/// Everything that Tessera measures. Dashboards and alerts are held against it (tests/monitor/).
namespace tessera::metric {

inline constexpr std::array kWaitBounds{
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0};
inline constexpr std::array kStageBounds{
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0};
inline constexpr std::array kRequestBounds{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0};
inline constexpr std::array kDecisionBounds{
    0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.01, 0.1};
inline constexpr std::array kRatioBounds{0.1, 0.25, 0.5, 0.8, 1.0, 1.25, 2.0, 4.0, 10.0};

/// Tenants that get a series of their own; the rest is "other".
inline constexpr std::size_t kMostTenants = 50;

// ---- Jobs and tasks ----

inline constexpr MetricFamily kJobsSubmitted{
    .name = "tessera_jobs_submitted_total",
    .kind = MetricKind::kCounter,
    .help = "Jobs accepted; begins with those that a restart found unfinished.",
};
inline constexpr MetricFamily kJobsEnded{
    .name = "tessera_jobs_ended_total",
    .kind = MetricKind::kCounter,
    .help = "Jobs that ended, by how.",
    .labels = {"state"},
};
inline constexpr MetricFamily kJobsInFlight{
    .name = "tessera_jobs_in_flight",
    .kind = MetricKind::kGauge,
    .help = "Jobs accepted and not ended: submitted minus ended.",
};
inline constexpr MetricFamily kPictures{
    .name = "tessera_pictures_total",
    .kind = MetricKind::kCounter,
    .help = "Pictures delivered, by tenant.",
    .labels = {"tenant"},
    .most_series = kMostTenants,
};
inline constexpr MetricFamily kWorkDone{
    .name = "tessera_work_megapixel_steps_total",
    .kind = MetricKind::kCounter,
    .help = "Work done, by tenant, in megapixels through one step.",
    .labels = {"tenant"},
    .most_series = kMostTenants,
};
inline constexpr MetricFamily kAttempts{
    .name = "tessera_task_attempts_total",
    .kind = MetricKind::kCounter,
    .help = "Attempts at tasks that ended, by outcome: done, failed, lost or cancelled.",
    .labels = {"kind", "outcome"},
};
inline constexpr MetricFamily kRetries{
    .name = "tessera_task_retries_total",
    .kind = MetricKind::kCounter,
    .help = "Tasks that went back into the queue, by reason: failed or lost.",
    .labels = {"reason"},
};
inline constexpr MetricFamily kDeadTasks{
    .name = "tessera_dead_tasks_total",
    .kind = MetricKind::kCounter,
    .help = "Tasks given up for good.",
};
inline constexpr MetricFamily kWait{
    .name = "tessera_task_wait_seconds",
    .kind = MetricKind::kHistogram,
    .help = "From ready to claimed, by priority class.",
    .labels = {"class"},
    .bounds = kWaitBounds,
};
inline constexpr MetricFamily kRun{
    .name = "tessera_task_run_seconds",
    .kind = MetricKind::kHistogram,
    .help = "From claimed to done, by kind and model.",
    .labels = {"kind", "model"},
    .bounds = kWaitBounds,
    .most_series = 64,
};
inline constexpr MetricFamily kStage{
    .name = "tessera_stage_seconds",
    .kind = MetricKind::kHistogram,
    .help = "Time of a task's stages: load, encode, denoise, decode, upscale, store.",
    .labels = {"stage"},
    .bounds = kStageBounds,
    .most_series = 16,
};
inline constexpr MetricFamily kJobSeconds{
    .name = "tessera_job_seconds",
    .kind = MetricKind::kHistogram,
    .help = "From submitted to done, by priority class.",
    .labels = {"class"},
    .bounds = kWaitBounds,
};

// ---- Queue and scheduler ----

inline constexpr MetricFamily kQueueTasks{
    .name = "tessera_queue_tasks",
    .kind = MetricKind::kGauge,
    .help = "Live tasks by state.",
    .labels = {"state"},
};
inline constexpr MetricFamily kQueueWaiting{
    .name = "tessera_queue_waiting_tasks",
    .kind = MetricKind::kGauge,
    .help = "Ready tasks by priority class and tenant.",
    .labels = {"class", "tenant"},
    .most_series = 3 * kMostTenants,
};
inline constexpr MetricFamily kQueueOldest{
    .name = "tessera_queue_oldest_task_age_seconds",
    .kind = MetricKind::kGauge,
    .help = "How long the oldest ready task of a priority class has waited.",
    .labels = {"class"},
};
inline constexpr MetricFamily kQueueCost{
    .name = "tessera_queue_waiting_megapixel_steps",
    .kind = MetricKind::kGauge,
    .help = "Expected work of tasks that wait.",
};
inline constexpr MetricFamily kBacklog{
    .name = "tessera_backlog_seconds",
    .kind = MetricKind::kGauge,
    .help = "How long the workers that are there will need for what waits.",
};
inline constexpr MetricFamily kDecision{
    .name = "tessera_scheduler_decision_seconds",
    .kind = MetricKind::kHistogram,
    .help = "Time to choose a task and a worker.",
    .bounds = kDecisionBounds,
};
inline constexpr MetricFamily kEstimateError{
    .name = "tessera_estimate_ratio",
    .kind = MetricKind::kHistogram,
    .help = "Time that a task took, to the time expected when it began.",
    .bounds = kRatioBounds,
};
inline constexpr MetricFamily kLeaseExpiries{
    .name = "tessera_lease_expiries_total",
    .kind = MetricKind::kCounter,
    .help = "Tasks taken from workers that were silent for a lease.",
};
inline constexpr MetricFamily kStaleCommits{
    .name = "tessera_stale_commits_total",
    .kind = MetricKind::kCounter,
    .help = "Results and failures refused because the task had gone to another worker.",
};

// ---- Workers ----

inline constexpr MetricFamily kWorkers{
    .name = "tessera_workers",
    .kind = MetricKind::kGauge,
    .help = "Connected worker processes by state: working, idle, draining or silent.",
    .labels = {"state"},
};
inline constexpr MetricFamily kWorkerSlots{
    .name = "tessera_worker_slots",
    .kind = MetricKind::kGauge,
    .help = "Tasks that a worker can do at a time.",
    .labels = {"worker", "node"},
    .most_series = 4096,
};
inline constexpr MetricFamily kWorkerTasks{
    .name = "tessera_worker_tasks",
    .kind = MetricKind::kGauge,
    .help = "Tasks that a worker holds.",
    .labels = {"worker", "node"},
    .most_series = 4096,
};
inline constexpr MetricFamily kWorkerBusy{
    .name = "tessera_worker_busy_seconds_total",
    .kind = MetricKind::kCounter,
    .help = "Time that a worker's slots were in use.",
    .labels = {"worker", "node"},
    .most_series = 4096,
};
inline constexpr MetricFamily kWorkerHeartbeatAge{
    .name = "tessera_worker_heartbeat_age_seconds",
    .kind = MetricKind::kGauge,
    .help = "Since a worker was last heard.",
    .labels = {"worker", "node"},
    .most_series = 4096,
};
inline constexpr MetricFamily kWorkerMemory{
    .name = "tessera_worker_resident_memory_bytes",
    .kind = MetricKind::kGauge,
    .help = "What a worker process has in memory.",
    .labels = {"worker", "node"},
    .most_series = 4096,
};
inline constexpr MetricFamily kWorkersLost{
    .name = "tessera_workers_lost_total",
    .kind = MetricKind::kCounter,
    .help = "Worker processes that went without saying so.",
};
inline constexpr MetricFamily kWorkerEngine{
    .name = "tessera_worker_engine_info",
    .kind = MetricKind::kGauge,
    .help = "Always 1; equal fingerprints make equal bytes.",
    .labels = {"worker", "fingerprint"},
    .most_series = 4096,
};

// ---- Measured by workers, and added up by the server ----

inline constexpr MetricFamily kStep{
    .name = "tessera_render_step_seconds",
    .kind = MetricKind::kHistogram,
    .help = "Time of a denoising step, by model.",
    .labels = {"model"},
    .bounds = kStageBounds,
    .most_series = 64,
};
inline constexpr MetricFamily kModelLoads{
    .name = "tessera_model_loads_total",
    .kind = MetricKind::kCounter,
    .help = "Models loaded, by whether another one was in memory before: first or swap.",
    .labels = {"reason"},
};
inline constexpr MetricFamily kModelLoadSeconds{
    .name = "tessera_model_load_seconds",
    .kind = MetricKind::kHistogram,
    .help = "Time to make a model ready.",
    .bounds = kStageBounds,
};
inline constexpr MetricFamily kModelEvictions{
    .name = "tessera_model_evictions_total",
    .kind = MetricKind::kCounter,
    .help = "Models that left memory to make room.",
};
inline constexpr MetricFamily kCacheRequests{
    .name = "tessera_cache_requests_total",
    .kind = MetricKind::kCounter,
    .help = "Looks into a cache, by result: hit or miss.",
    .labels = {"cache", "result"},
};

// ---- Server ----

inline constexpr MetricFamily kHttpRequests{
    .name = "tessera_http_requests_total",
    .kind = MetricKind::kCounter,
    .help = "Answers by route, method and status; an empty route is one that does not exist.",
    .labels = {"route", "method", "code"},
    .most_series = 1024,
};
inline constexpr MetricFamily kHttpSeconds{
    .name = "tessera_http_request_seconds",
    .kind = MetricKind::kHistogram,
    .help = "From a request's head to its answer's, by route; streams and waits included.",
    .labels = {"route"},
    .bounds = kRequestBounds,
};
inline constexpr MetricFamily kAuthFailures{
    .name = "tessera_auth_failures_total",
    .kind = MetricKind::kCounter,
    .help = "Requests with a wrong key, or none where one is needed.",
};
inline constexpr MetricFamily kRateLimited{
    .name = "tessera_rate_limited_total",
    .kind = MetricKind::kCounter,
    .help = "Requests refused because too many, or too many wrong keys, came from one client.",
};
inline constexpr MetricFamily kStoreSeconds{
    .name = "tessera_store_request_seconds",
    .kind = MetricKind::kHistogram,
    .help = "Time of the object store's operations, by outcome: ok or the kind of error.",
    .labels = {"operation", "code"},
    .bounds = kRequestBounds,
};
inline constexpr MetricFamily kStoreBytes{
    .name = "tessera_store_bytes",
    .kind = MetricKind::kGauge,
    .help = "What the object store holds.",
};
inline constexpr MetricFamily kStoreFree{
    .name = "tessera_store_free_bytes",
    .kind = MetricKind::kGauge,
    .help = "What the object store may still take.",
};
inline constexpr MetricFamily kServerMemory{
    .name = "tessera_server_resident_memory_bytes",
    .kind = MetricKind::kGauge,
    .help = "What the server process has in memory.",
};
inline constexpr MetricFamily kCertificateExpiry{
    .name = "tessera_certificate_expiry_timestamp_seconds",
    .kind = MetricKind::kGauge,
    .help = "When the server's certificate ends.",
};
inline constexpr MetricFamily kTracesExported{
    .name = "tessera_traces_exported_total",
    .kind = MetricKind::kCounter,
    .help = "Traces of jobs for the collector, by result: sent or dropped.",
    .labels = {"result"},
};
inline constexpr MetricFamily kBuildInfo{
    .name = "tessera_build_info",
    .kind = MetricKind::kGauge,
    .help = "Always 1; the version is in the label.",
    .labels = {"version"},
};

/// All of the above, in their order.
[[nodiscard]] std::span<const MetricFamily* const> all();
/// Those that workers may report; nullptr for any other name.
[[nodiscard]] const MetricFamily* of_workers(std::string_view name);

}  // namespace tessera::metric
