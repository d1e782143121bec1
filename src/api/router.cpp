#include "api/api.h"
#include "api/error_shapes.h"
#include "api/guard.h"
#include "api/page_files.h"
#include "http/router_state.h"

#include <utility>

namespace tessera::api {
namespace {

/// Puts the guard's fields on the way back of a request.
class DressedExchange final : public http::Exchange {
  public:
    DressedExchange(std::shared_ptr<http::Exchange> inner, std::shared_ptr<const ApiGuard> guard)
        : inner_(std::move(inner)), guard_(std::move(guard)) {}

    [[nodiscard]] const http::Request& request() const override { return inner_->request(); }
    void respond(http::Response response) override {
        guard_->dress(request(), response);
        inner_->respond(std::move(response));
    }
    [[nodiscard]] std::shared_ptr<http::ResponseStream> stream(http::Response head) override {
        guard_->dress(request(), head);
        return inner_->stream(std::move(head));
    }
    void on_gone(std::function<void()> gone) override { inner_->on_gone(std::move(gone)); }

  private:
    const std::shared_ptr<http::Exchange> inner_;
    const std::shared_ptr<const ApiGuard> guard_;
};

void dress_route(http::Route& route, const std::shared_ptr<const ApiGuard>& guard) {
    if (route.handler) {
        route.handler = [inner = std::move(route.handler),
                         guard](std::shared_ptr<http::Exchange> exchange) {
            inner(std::make_shared<DressedExchange>(std::move(exchange), guard));
        };
    }
    if (route.options.before_body) {
        route.options.before_body = [inner = std::move(route.options.before_body),
                                     guard](http::Request& request) {
            auto answer = inner(request);
            if (answer) {
                guard->dress(request, *answer);
            }
            return answer;
        };
    }
}

void dress_all(http::Router::State::Node& node, const std::shared_ptr<const ApiGuard>& guard) {
    for (auto& [method, route] : node.routes) {
        dress_route(route, guard);
    }
    for (auto& [segment, child] : node.literal) {
        dress_all(*child, guard);
    }
    if (node.parameter) {
        dress_all(*node.parameter, guard);
    }
}

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

}  // namespace

http::Router make_router(const ApiParts& given) {
    ApiParts parts = given;
    if (!parts.objects) {
        parts.objects = std::make_shared<ObjectDesk>(
            parts.queue, parts.store, parts.clock, parts.settings.uploads
        );
    }
    const auto requests = std::make_shared<RequestCounts>();
    http::Router router;
    add_native_routes(router, parts);
    add_openai_routes(router, parts);
    add_a1111_routes(router, parts);
    add_worker_routes(router, parts);
    add_health_routes(router, parts, requests);
    add_page_routes(router, parts);

    std::set<std::string, std::less<>> public_paths{
        "/", "/healthz", "/readyz", "/api/v1/openapi.json", "/api/v1/openapi.yaml"};
    for (const PageFile& file : find_page_files(parts.settings.web)) {
        public_paths.insert(file.path);
    }
    const auto guard = std::make_shared<ApiGuard>(parts, std::move(public_paths));
    dress_all(router.state()->root, guard);
    router.guard([guard](http::Request& request) { return guard->check(request); });
    router.observe([requests](
                       const http::Request& request,
                       std::string_view route,
                       int status,
                       std::chrono::microseconds /*took*/
                   ) { requests->count(request.method, route, status); });
    router.on_error([guard](const http::Request& request, int status, const std::string& message) {
        http::Response response =
            error_for_path(request.path, status, {{kind_of_status(status), message}, {}});
        guard->dress(request, response);
        return response;
    });
    return router;
}

}  // namespace tessera::api
