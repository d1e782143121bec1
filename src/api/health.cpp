#include "api/api.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace tessera::api {
namespace {

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

void add_health_routes(http::Router& router, const ApiParts& parts) {
    using ExchangePtr = std::shared_ptr<http::Exchange>;
    router.add("GET", "/healthz", [](const ExchangePtr& exchange) {
        exchange->respond(http::text_response(200, "ok\n"));
    });
    router.add("GET", "/readyz", [parts](const ExchangePtr& exchange) {
        exchange->respond(readiness(parts));
    });
}

}  // namespace tessera::api
