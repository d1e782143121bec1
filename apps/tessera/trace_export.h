#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "events/job_history.h"
#include "http/client.h"
#include "telemetry/metrics.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace tessera::cli {

struct TraceExportOptions {
    std::string endpoint;             ///< of a collector: "http://127.0.0.1:4318"
    std::string version;              ///< Tessera's, for the collector
    std::size_t most_waiting = 2048;  ///< jobs; when more wait, the oldest are dropped
    std::size_t batch_spans = 512;    ///< of one request
    Duration longest_wait = std::chrono::seconds(5);        ///< for a batch to fill
    Duration first_pause = std::chrono::milliseconds(500);  ///< before trying again
    Duration longest_pause = std::chrono::seconds(30);
    std::function<void(const std::string&)> say;
};

/// Sends the traces of jobs that ended to a collector, as OTLP over HTTP in JSON, on a thread of
/// its own. A collector that is away costs memory for the jobs that wait, and no job any time; what
/// was sent and what was dropped is counted (tessera_traces_exported_total).
class TraceExport {
  public:
    /// kInvalidArgument for an endpoint that is no URL. The metrics must outlive it.
    [[nodiscard]] static Result<std::unique_ptr<TraceExport>> start(
        TraceExportOptions options, Metrics& metrics
    );
    /// Tries once more to send what waits, for a few seconds at most.
    ~TraceExport();
    TraceExport(const TraceExport&) = delete;
    TraceExport& operator=(const TraceExport&) = delete;

    /// A JobTraces::OnEnd: cheap, and never blocks. Jobs whose caller keeps no trace are left out.
    void add(std::shared_ptr<const JobHistory> life);

  private:
    enum class Sent : std::uint8_t { kYes, kNo, kNever };

    TraceExport(TraceExportOptions options, http::Client client, Metrics& metrics);
    void work(const std::stop_token& stop);
    void send(const std::vector<Trace>& batch, const std::stop_token& stop);
    /// Tries until the collector has it or will never take it.
    bool deliver(const std::string& body, const std::stop_token& stop);
    Sent post(http::Client& client, const std::string& body, const std::stop_token& stop);
    void complain(const std::string& why);

    const TraceExportOptions options_;
    const Counter sent_;
    const Counter dropped_;

    std::mutex mutex_;  // guards inbox_
    std::condition_variable_any changed_;
    std::deque<std::shared_ptr<const JobHistory>> inbox_;

    // Of the thread.
    http::Client client_;
    bool is_failing_ = false;
    bool has_given_up_ = false;
    std::jthread thread_;
};

}  // namespace tessera::cli
