#pragma once

#include "api/catalog.h"
#include "api/keys.h"
#include "api/object_desk.h"
#include "api/submission.h"
#include "base/clock.h"
#include "base/entropy.h"
#include "events/event_bus.h"
#include "http/server.h"
#include "queue/task_queue.h"
#include "scheduler/dispatcher.h"
#include "storage/object_store.h"
#include "telemetry/log_file.h"
#include "telemetry/metrics.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tessera {
class JobTraces;
}

namespace tessera::api {

struct ApiSettings {
    /// Whoever gives no key is an administrator: on loopback only.
    bool open = true;
    /// Hosts that the Host header may name, beside the address it listens on (against DNS
    /// rebinding), and pages that may call from a browser.
    std::vector<std::string> hosts;
    std::vector<std::string> origins;
    double requests_per_second = 50.0;  ///< for each key
    double burst = 200.0;
    std::uint64_t upload_bytes = 20U << 20U;
    std::string version;
    std::filesystem::path web;  ///< the page's files
    std::string object_secret;  ///< 32 random bytes that sign object tokens
    /// Beside the key ring's: what the server gives the workers that it starts itself, drawn anew
    /// at each start. Empty: none.
    std::string worker_key;
};

/// What the routes work with. All of it outlives the server.
struct ApiParts {
    TaskQueue& queue;
    ObjectStore& store;
    EventBus& events;
    Dispatcher& dispatcher;
    const Catalog& catalog;
    KeyRing& keys;
    SubmissionDesk& desk;
    const Clock& clock;
    Entropy& entropy;
    ApiSettings settings;
    /// All that puts objects into the store, or removes them, goes through it.
    std::shared_ptr<ObjectDesk> objects;
    std::shared_ptr<const LogFile> log;
    std::shared_ptr<Metrics> metrics;
    std::shared_ptr<const JobTraces> traces;
};

/// Every route of the farm: native, OpenAI's, A1111's, the workers', the page's, health.
[[nodiscard]] http::Router make_router(const ApiParts& parts);
/// The workers' routes alone.
[[nodiscard]] http::Router make_worker_router(const ApiParts& parts);

// The parts of it, one file each.
void add_native_routes(http::Router& router, const ApiParts& parts);
void add_openai_routes(http::Router& router, const ApiParts& parts);
void add_a1111_routes(http::Router& router, const ApiParts& parts);
void add_worker_routes(http::Router& router, const ApiParts& parts);
void add_health_routes(http::Router& router, const ApiParts& parts);
void add_metrics_routes(http::Router& router, const ApiParts& parts);
void add_page_routes(http::Router& router, const ApiParts& parts);

/// Who asks, as the guard found out; kUser of no tenant for routes without a guard.
[[nodiscard]] const Caller& caller_of(const http::Exchange& exchange);

}  // namespace tessera::api
