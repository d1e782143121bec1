#include "api/answers.h"
#include "api/api.h"
#include "base/process_memory.h"
#include "telemetry/farm_metrics.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <utility>

namespace tessera::api {
namespace {

using ExchangePtr = std::shared_ptr<http::Exchange>;

void write_server(const ApiParts& parts, MetricWriter& writer) {
    const QueueCounts counts = parts.queue.counts({});
    const auto write_tasks = [&](std::string_view state, std::size_t tasks) {
        writer.write(metric::kQueueTasks, {state}, static_cast<double>(tasks));
    };
    write_tasks("blocked", counts.blocked);
    write_tasks("ready", counts.ready);
    write_tasks("delayed", counts.delayed);
    write_tasks("running", counts.running);
    writer.write(metric::kQueueCost, {}, counts.waiting_cost);
    writer.write(metric::kServerMemory, {}, static_cast<double>(resident_bytes()));
    writer.write(metric::kBuildInfo, {parts.settings.version}, 1.0);
}

/// Where Prometheus finds the farm, as its HTTP service discovery wants it: this server as the
/// asker calls it, and the workers that say where they can be scraped.
std::string targets(const ApiParts& parts, const http::Request& request) {
    using Json = nlohmann::ordered_json;
    const auto target = [](const std::string& address, Json labels) {
        return Json{{"targets", {address}}, {"labels", std::move(labels)}};
    };
    Json all = Json::array();
    const std::string scheme = request.secure ? "https" : "http";
    all.push_back(target(
        std::string(request.fields.get("Host")), {{"role", "server"}, {"__scheme__", scheme}}
    ));
    for (const ConnectedWorker& worker : parts.dispatcher.workers()) {
        if (!worker.metrics_address.empty()) {
            all.push_back(target(
                worker.metrics_address,
                {{"role", "worker"}, {"__scheme__", "http"}, {"node", worker.view.node}}
            ));
        }
    }
    return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// They name tenants.
http::Handler for_operators(std::function<http::Response(const http::Request&)> answer) {
    return [answer = std::move(answer)](const ExchangePtr& exchange) {
        if (caller_of(*exchange).role == Role::kAdmin) {
            exchange->respond(answer(exchange->request()));
        } else {
            exchange->respond(error_answer(Error{
                ErrorKind::kDenied, "metrics need an administrator's key"}));
        }
    };
}

}  // namespace

void add_metrics_routes(http::Router& router, const ApiParts& parts) {
    auto collected =
        parts.metrics->collect([parts](MetricWriter& writer) { write_server(parts, writer); });
    router.add(
        "GET",
        "/metrics",
        for_operators([metrics = parts.metrics,
                       collected = std::move(collected)](const http::Request& /*request*/) {
            http::Response response{200, {}, metrics->text()};
            response.fields.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
            return response;
        })
    );
    router.add(
        "GET", "/api/v1/discovery/prometheus", for_operators([parts](const http::Request& request) {
            return http::json_response(200, targets(parts, request));
        })
    );
}

}  // namespace tessera::api
