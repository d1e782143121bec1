#include "api/answers.h"
#include "api/api.h"
#include "api/guard.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <iterator>
#include <memory>
#include <string>

namespace tessera::api {
namespace {

/// Jobs that ended since the start, by how.
class EndedJobs {
  public:
    explicit EndedJobs(TaskQueue& queue)
        : watch_(queue.watch([counts = counts_](const QueueEvent& event) {
              if (event.kind == QueueEvent::Kind::kJobEnded) {
                  ++(*counts)[static_cast<std::size_t>(event.job_state)];
              }
          })) {}

    [[nodiscard]] std::uint64_t of(JobState state) const {
        return (*counts_)[static_cast<std::size_t>(state)];
    }

  private:
    using Counts = std::array<std::atomic<std::uint64_t>, 5>;
    const std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
    const std::shared_ptr<void> watch_;
};

/// Text in the form of Prometheus 0.0.4. Label values are ours: routes, states, numbers.
class MetricsText {
  public:
    void begin(std::string_view name, std::string_view type, std::string_view help) {
        fmt::format_to(out(), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    }
    template <class Value>
    void line(std::string_view name, const std::string& labels, Value value) {
        const bool bare = labels.empty();
        fmt::format_to(
            out(), "{}{}{}{} {}\n", name, bare ? "" : "{", labels, bare ? "" : "}", value
        );
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    std::back_insert_iterator<std::string> out() { return std::back_inserter(text_); }
    std::string text_;
};

void write_queue(MetricsText& text, const QueueCounts& counts) {
    constexpr std::string_view kName = "tessera_queue_tasks";
    text.begin(kName, "gauge", "Live tasks by state.");
    text.line(kName, R"(state="blocked")", counts.blocked);
    text.line(kName, R"(state="ready")", counts.ready);
    text.line(kName, R"(state="delayed")", counts.delayed);
    text.line(kName, R"(state="running")", counts.running);
    text.begin(
        "tessera_queue_waiting_megapixel_steps", "gauge", "Expected cost of tasks that wait."
    );
    text.line("tessera_queue_waiting_megapixel_steps", "", counts.waiting_cost);
}

void write_workers(MetricsText& text, const std::vector<ConnectedWorker>& workers) {
    std::size_t slots = 0;
    std::size_t running = 0;
    for (const ConnectedWorker& worker : workers) {
        slots += static_cast<std::size_t>(worker.view.slots);
        running += worker.tasks.size();
    }
    text.begin("tessera_workers", "gauge", "Connected worker processes.");
    text.line("tessera_workers", "", workers.size());
    text.begin("tessera_worker_slots", "gauge", "Tasks that connected workers can do at a time.");
    text.line("tessera_worker_slots", "", slots);
    text.begin("tessera_worker_tasks", "gauge", "Tasks that connected workers hold.");
    text.line("tessera_worker_tasks", "", running);
}

void write_jobs(MetricsText& text, const EndedJobs& ended) {
    constexpr std::string_view kName = "tessera_jobs_ended_total";
    text.begin(kName, "counter", "Jobs that ended since the start, by how.");
    for (const JobState state : {JobState::kDone, JobState::kFailed, JobState::kCancelled}) {
        text.line(kName, fmt::format(R"(state="{}")", to_string(state)), ended.of(state));
    }
}

void write_requests(MetricsText& text, const RequestCounts& requests) {
    constexpr std::string_view kName = "tessera_http_requests_total";
    text.begin(kName, "counter", "Answers since the start, by route, method and status.");
    for (const auto& [key, count] : requests.all()) {
        const auto& [route, method, status] = key;
        text.line(
            kName, fmt::format(R"(route="{}",method="{}",code="{}")", route, method, status), count
        );
    }
}

http::Response readiness(const ApiParts& parts) {
    // Room and rights, without leaving anything behind.
    Status store;
    if (auto writer = parts.store.create({}, 1, {}); !writer) {
        store = tl::unexpected(std::move(writer).error());
    } else {
        store = (*writer)->write(as_bytes("."));
    }
    JobFilter one;
    one.limit = 1;
    const auto jobs = parts.queue.jobs(one);
    const bool is_ready = store && jobs;
    return http::json_response(
        is_ready ? 200 : 503,
        fmt::format(
            R"({{"ready":{},"queue":{},"store":{},"workers":{}}})",
            is_ready,
            jobs.has_value(),
            store.has_value(),
            parts.dispatcher.workers().size()
        )
    );
}

}  // namespace

void add_health_routes(
    http::Router& router, const ApiParts& parts, std::shared_ptr<const RequestCounts> requests
) {
    using ExchangePtr = std::shared_ptr<http::Exchange>;
    router.add("GET", "/healthz", [](const ExchangePtr& exchange) {
        exchange->respond(http::text_response(200, "ok\n"));
    });
    router.add("GET", "/readyz", [parts](const ExchangePtr& exchange) {
        exchange->respond(readiness(parts));
    });
    const auto ended = std::make_shared<const EndedJobs>(parts.queue);
    router.add(
        "GET",
        "/metrics",
        [parts, ended, requests = std::move(requests)](const ExchangePtr& exchange) {
            const http::Request& request = exchange->request();
            const bool is_free = parts.settings.open || is_local(request);
            if (!is_free && caller_of(*exchange).role != Role::kAdmin) {
                exchange->respond(error_answer(Error{
                    ErrorKind::kDenied, "metrics need an administrator's key"}));
                return;
            }
            MetricsText text;
            text.begin("tessera_build_info", "gauge", "Always 1; the version is in the label.");
            text.line(
                "tessera_build_info", fmt::format(R"(version="{}")", parts.settings.version), 1
            );
            write_queue(text, parts.queue.counts({}));
            write_workers(text, parts.dispatcher.workers());
            write_jobs(text, *ended);
            write_requests(text, *requests);
            http::Response response{200, {}, text.take()};
            response.fields.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
            exchange->respond(std::move(response));
        }
    );
}

}  // namespace tessera::api
