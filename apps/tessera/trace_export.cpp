#include "tessera/trace_export.h"

#include "telemetry/farm_metrics.h"
#include "telemetry/otlp.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace tessera::cli {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

http::ClientOptions client_options(std::chrono::milliseconds patience) {
    http::ClientOptions options;
    options.connect_timeout = patience;
    options.idle_timeout = patience;
    options.body_limit = 1U << 20U;
    return options;
}

constexpr std::chrono::seconds kPatience{10};
/// When the server ends.
constexpr std::chrono::seconds kLastPatience{1};

bool may_be_tried_again(int status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

std::size_t spans_in(const std::vector<Trace>& traces) {
    std::size_t spans = 0;
    for (const Trace& trace : traces) {
        spans += trace.spans.size();
    }
    return spans;
}

/// The traces' spans in requests of so many at most.
std::vector<std::vector<SpanBatch>> requests_of(
    const std::vector<Trace>& traces, std::size_t most
) {
    std::vector<std::vector<SpanBatch>> requests(1);
    std::size_t room = most;
    for (const Trace& trace : traces) {
        std::span<const Span> rest = trace.spans;
        while (!rest.empty()) {
            if (room == 0) {
                requests.emplace_back();
                room = most;
            }
            const std::size_t many = std::min(room, rest.size());
            requests.back().push_back({trace.id, rest.first(many)});
            rest = rest.subspan(many);
            room -= many;
        }
    }
    return requests;
}

}  // namespace

Result<std::unique_ptr<TraceExport>> TraceExport::start(
    TraceExportOptions options, Metrics& metrics
) {
    TESSERA_ASSIGN(auto client, http::Client::open(options.endpoint, client_options(kPatience)));
    return std::unique_ptr<TraceExport>(
        new TraceExport(std::move(options), std::move(client), metrics)
    );
}

TraceExport::TraceExport(TraceExportOptions options, http::Client client, Metrics& metrics)
    : options_(std::move(options)),
      sent_(metrics.counter(metric::kTracesExported, {"sent"})),
      dropped_(metrics.counter(metric::kTracesExported, {"dropped"})),
      client_(std::move(client)),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

TraceExport::~TraceExport() = default;

void TraceExport::add(std::shared_ptr<const JobHistory> life) {
    if (!life->context.sampled) {
        return;
    }
    const std::lock_guard lock(mutex_);
    if (inbox_.size() >= options_.most_waiting) {
        inbox_.pop_front();
        dropped_.add();
    }
    inbox_.push_back(std::move(life));
    changed_.notify_one();
}

void TraceExport::work(const std::stop_token& stop) {
    std::vector<Trace> batch;
    SteadyTime due;
    while (true) {
        std::shared_ptr<const JobHistory> next;
        {
            std::unique_lock lock(mutex_);
            const auto is_there = [this] { return !inbox_.empty(); };
            if (batch.empty()) {
                changed_.wait(lock, stop, is_there);
            } else {
                changed_.wait_until(lock, stop, due, is_there);
            }
            if (!inbox_.empty()) {
                next = std::move(inbox_.front());
                inbox_.pop_front();
            }
        }
        const SteadyTime now = std::chrono::steady_clock::now();
        if (next) {
            due = batch.empty() ? now + options_.longest_wait : due;
            batch.push_back({next->context.trace, true, spans_of(*next)});
        }
        const bool is_last = !next && stop.stop_requested();
        const bool is_full = spans_in(batch) >= options_.batch_spans;
        if (!batch.empty() && (is_full || is_last || now >= due)) {
            send(batch, stop);
            batch.clear();
        }
        if (is_last) {
            return;
        }
    }
}

void TraceExport::send(const std::vector<Trace>& batch, const std::stop_token& stop) {
    const std::vector<std::pair<std::string, std::string>> service{
        {"service.name", "tessera"}, {"service.version", options_.version}};
    bool is_sent = true;
    for (const auto& request : requests_of(batch, options_.batch_spans)) {
        is_sent = is_sent && deliver(otlp_json(service, request), stop);
    }
    (is_sent ? sent_ : dropped_).add(static_cast<double>(batch.size()));
}

bool TraceExport::deliver(const std::string& body, const std::stop_token& stop) {
    Duration pause = options_.first_pause;
    while (!stop.stop_requested()) {
        const Sent sent = post(client_, body, stop);
        if (sent == Sent::kNever) {
            return false;
        }
        if (sent == Sent::kYes) {
            return true;
        }
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, stop, pause, [] { return false; });
        pause = std::min(pause * 2, options_.longest_pause);
    }
    // The server ends: once more, and what follows not at all if that fails.
    auto last = http::Client::open(options_.endpoint, client_options(kLastPatience));
    has_given_up_ = has_given_up_ || !last || post(*last, body, {}) != Sent::kYes;
    return !has_given_up_;
}

TraceExport::Sent TraceExport::post(
    http::Client& client, const std::string& body, const std::stop_token& stop
) {
    http::Request request;
    request.method = "POST";
    request.target = "/v1/traces";
    request.fields.set("Content-Type", "application/json");
    request.body = body;
    const auto answer = client.send(request, stop);
    if (!answer) {
        if (answer.error().kind != ErrorKind::kCancelled) {
            complain(answer.error().message);
        }
        return Sent::kNo;
    }
    if (answer->status / 100 == 2) {
        if (std::exchange(is_failing_, false)) {
            options_.say(fmt::format("traces reach {} again", options_.endpoint));
        }
        return Sent::kYes;
    }
    complain(fmt::format("it answers {} {}", answer->status, http::reason_of(answer->status)));
    return may_be_tried_again(answer->status) ? Sent::kNo : Sent::kNever;
}

void TraceExport::complain(const std::string& why) {
    if (!std::exchange(is_failing_, true)) {
        options_.say(fmt::format("cannot send traces to {}: {}", options_.endpoint, why));
    }
}

}  // namespace tessera::cli
