#include "api/native_internal.h"

#include <string>

namespace tessera::api {
namespace {

constexpr int kUsualLines = 1000;
constexpr int kMostLines = 10'000;

std::string query_text(const http::Request& request, const std::string& name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string() : found->second;
}

/// Whoever is no administrator sees what concerns a job of his own.
Checked<http::Response> logs(
    const ApiParts& parts, const http::Request& request, const Caller& caller
) {
    TESSERA_TRY(check_query(request, {"job", "worker", "level", "after", "limit"}));
    LogQuery query;
    query.job = query_text(request, "job");
    query.worker = query_text(request, "worker");
    query.after = query_text(request, "after");
    if (caller.role != Role::kAdmin) {
        if (query.job.empty()) {
            return refuse(
                "job",
                ErrorKind::kDenied,
                "the log of the whole farm is for administrators; name a job of yours"
            );
        }
        TESSERA_TRY(find_job(parts.queue, caller, query.job));
    }
    if (const std::string level = query_text(request, "level"); !level.empty()) {
        const auto least = parse_log_level(level);
        if (!least) {
            return refuse(
                "level",
                ErrorKind::kInvalidArgument,
                "level is \"{}\"; there are debug, info, warning and error",
                level
            );
        }
        query.least = *least;
    }
    TESSERA_ASSIGN(const int limit, query_number(request, "limit", kUsualLines, 1, kMostLines));
    query.limit = static_cast<std::size_t>(limit);
    OrderedJson records = OrderedJson::array();
    for (const std::string& line : parts.log->read(query)) {
        records.push_back(OrderedJson::parse(line, nullptr, false));
    }
    return json_answer(request, 200, {{"records", std::move(records)}});
}

}  // namespace

void add_native_log_routes(http::Router& router, const SharedParts& parts) {
    router.add(
        "GET",
        "/api/v1/logs",
        answering([parts](const http::Request& request, const Caller& caller) {
            return logs(*parts, request, caller);
        }),
        {.is_slow = true}
    );
}

}  // namespace tessera::api
