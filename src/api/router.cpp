#include "api/api.h"
#include "api/error_shapes.h"
#include "api/guard.h"
#include "api/page_files.h"
#include "telemetry/farm_metrics.h"

#include <utility>

namespace tessera::api {
namespace {

ErrorKind kind_of_status(int status) {
    switch (status) {
        case 404:
            return ErrorKind::kNotFound;
        case 408:
            return ErrorKind::kDeadline;
        case 413:
        case 429:
        case 431:
            return ErrorKind::kExhausted;
        case 503:
            return ErrorKind::kUnavailable;
        default:
            return status < 500 ? ErrorKind::kInvalidArgument : ErrorKind::kInternal;
    }
}

/// What all routes have in common: who may ask, what every answer carries, what errors look like.
void stand_guard(http::Router& router, std::shared_ptr<ApiGuard> guard) {
    router.on_error([](const http::Request& request, int status, const std::string& message) {
        return error_for_path(request.path, status, {{kind_of_status(status), message}, {}});
    });
    router.dress([guard](const http::Request& request, http::Response& response) {
        guard->dress(request, response);
    });
    router.guard([guard = std::move(guard)](http::Request& request) {
        return guard->check(request);
    });
}

}  // namespace

http::Router make_router(const ApiParts& parts) {
    http::Router router;
    add_native_routes(router, parts);
    add_openai_routes(router, parts);
    add_a1111_routes(router, parts);
    add_worker_routes(router, parts);
    add_health_routes(router, parts);
    add_metrics_routes(router, parts);
    add_page_routes(router, parts);

    std::set<std::string, std::less<>> public_paths{
        "/", "/healthz", "/readyz", "/api/v1/openapi.json", "/api/v1/openapi.yaml"};
    for (const PageFile& file : find_page_files(parts.settings.web)) {
        public_paths.insert(file.path);
    }
    stand_guard(router, std::make_shared<ApiGuard>(parts, std::move(public_paths)));
    router.observe([metrics = parts.metrics](
                       const http::Request& request,
                       std::string_view route,
                       int status,
                       std::chrono::microseconds took
                   ) {
        // Methods are strangers' words: only a route that matched vouches for one.
        const std::string_view method = route.empty() ? std::string_view() : request.method;
        metrics->counter(metric::kHttpRequests, {route, method, std::to_string(status)}).add();
        metrics->histogram(metric::kHttpSeconds, {route})
            .observe(std::chrono::duration<double>(took).count());
    });
    return router;
}

http::Router make_worker_router(const ApiParts& parts) {
    http::Router router;
    add_worker_routes(router, parts);
    stand_guard(router, std::make_shared<ApiGuard>(parts, std::set<std::string, std::less<>>{}));
    return router;
}

}  // namespace tessera::api
