#include "api/native_internal.h"
#include "job/progress.h"

#include <algorithm>
#include <string>
#include <vector>

namespace tessera::api {
namespace {

/// More lines than anybody reads; the longest come first.
constexpr std::size_t kMostLines = 500;

OrderedJson line_json(const WaitingLine& line) {
    return {
        {"priority", to_string(line.priority)},
        {"tenant", line.tenant},
        {"tasks", line.tasks},
        {"cost", line.cost},
        {"oldest_seconds", seconds_of(line.oldest)},
    };
}

Checked<http::Response> queue(
    const ApiParts& parts, const http::Request& request, const Caller& caller
) {
    TESSERA_ASSIGN(const std::string scope, tenant_scope(caller));
    std::vector<WaitingLine> lines = parts.dispatcher.waiting();
    const bool sees_all = scope.empty();
    lines.erase(
        std::remove_if(
            lines.begin(),
            lines.end(),
            [&](const WaitingLine& line) { return !sees_all && line.tenant != scope; }
        ),
        lines.end()
    );
    const QueueCounts counts = parts.queue.counts(scope);
    OrderedJson json;
    json["ready"] = counts.ready;
    json["running"] = counts.running;
    json["blocked"] = counts.blocked;
    json["delayed"] = counts.delayed;
    json["waiting_cost"] = counts.waiting_cost;
    json["backlog_seconds"] = parts.dispatcher.backlog_seconds();
    json["lines"] = OrderedJson::array();
    for (std::size_t i = 0; i < std::min(lines.size(), kMostLines); ++i) {
        json["lines"].push_back(line_json(lines[i]));
    }
    json["lines_left_out"] = lines.size() - json["lines"].size();
    return json_answer(request, 200, json);
}

}  // namespace

void add_native_queue_routes(http::Router& router, const SharedParts& parts) {
    router.add(
        "GET",
        "/api/v1/queue",
        answering([parts](const http::Request& request, const Caller& caller) {
            return queue(*parts, request, caller);
        })
    );
}

}  // namespace tessera::api
