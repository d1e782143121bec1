#pragma once

#include "api/api.h"
#include "base/result.h"
#include "job/limits.h"
#include "queue/task_queue.h"
#include "scheduler/dispatcher.h"
#include "storage/folder_store.h"
#include "storage/retention.h"
#include "telemetry/log.h"
#include "tessera/model_shelf.h"
#include "tessera/render_listener.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace tessera::cli {

struct FarmServerOptions {
    std::filesystem::path data;  ///< jobs.db, uploads/ and the list of keys stand in it
    std::filesystem::path store_folder;
    http::ServerOptions http;
    StoreLimits store;
    TenantLimits limits;
    DispatcherOptions dispatcher;  ///< what the server fills in itself is left out
    RetryPolicy retry;
    api::ApiSettings api;  ///< the same
    /// Which ended jobs are forgotten, with their pictures.
    RetentionPolicy retention;
    /// Objects that nobody refers to are removed after it, looked for so often.
    Duration orphan_grace = std::chrono::hours(24);
    Duration sweep_interval = std::chrono::minutes(10);
    bool log_prompts = false;
    std::string trace_endpoint;  ///< of a collector; empty: none
};

/// The whole farm but its workers, in one process.
class FarmServer {
  public:
    /// Opens everything and serves. kConflict when another server owns the folder. The
    /// log outlives it; a copy of it is kept beside the data.
    [[nodiscard]] static Result<std::unique_ptr<FarmServer>> start(
        FarmServerOptions options, Locations locations, Log& log
    );
    /// See stop.
    ~FarmServer();
    FarmServer(const FarmServer&) = delete;
    FarmServer& operator=(const FarmServer&) = delete;

    /// "http://127.0.0.1:7801".
    [[nodiscard]] const std::string& url() const;
    /// Where this machine's own workers find it; never by TLS.
    [[nodiscard]] std::string worker_url() const;
    /// What the server gives to the workers that it starts itself.
    [[nodiscard]] const std::string& worker_key() const;
    /// The first administrator's key, when it was made just now.
    [[nodiscard]] const std::optional<std::string>& new_admin_key() const;

    [[nodiscard]] Status reload_certificate();
    /// Answers under way are finished within the grace; then nothing is served any more.
    void stop(std::chrono::milliseconds grace);

  private:
    struct Parts;
    explicit FarmServer(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace tessera::cli
