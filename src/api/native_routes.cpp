#include "api/native_internal.h"
#include "base/number.h"
#include "base/similar_name.h"

#include <algorithm>
#include <span>
#include <utility>

namespace tessera::api {

http::Response fault_answer(const ApiFault& fault) {
    return error_answer(FieldError{fault.error, fault.field}, fault.retry_after);
}

http::Handler answering(
    std::function<Checked<http::Response>(const http::Request&, const Caller&)> answer
) {
    return [answer = std::move(answer)](const ExchangePtr& exchange) {
        auto given = answer(exchange->request(), caller_of(*exchange));
        exchange->respond(given ? *std::move(given) : fault_answer(given.error()));
    };
}

Status require_admin(const Caller& caller) {
    if (caller.role != Role::kAdmin) {
        return fail(ErrorKind::kDenied, "this needs an administrator's key");
    }
    return {};
}

Result<std::string> tenant_scope(const Caller& caller) {
    if (caller.role == Role::kAdmin) {
        return std::string();
    }
    if (caller.tenant.empty()) {
        return fail(ErrorKind::kDenied, "this key belongs to no tenant");
    }
    return caller.tenant;
}

std::string parameter_of(const http::Request& request, const std::string& name) {
    const auto found = request.parameters.find(name);
    return found == request.parameters.end() ? std::string() : found->second;
}

Checked<int> query_number(
    const http::Request& request, const std::string& name, int usual, int least, int most
) {
    const auto found = request.query.find(name);
    if (found == request.query.end()) {
        return usual;
    }
    const auto number = read_number<int>(found->second);
    if (!number || *number < least || *number > most) {
        return refuse(name, ErrorKind::kInvalidArgument, "{} must be {} to {}", name, least, most);
    }
    return *number;
}

Checked<void> check_query(
    const http::Request& request, std::initializer_list<std::string_view> known
) {
    for (const auto& [name, value] : request.query) {
        if (std::ranges::find(known, name) == known.end()) {
            const std::string_view near =
                most_similar(name, std::span(known.begin(), known.size()));
            return refuse(
                name.substr(0, 64),
                ErrorKind::kInvalidArgument,
                "{}: there is no such field of the query{}{}",
                name.substr(0, 64),
                near.empty() ? "" : "; did you mean ",
                near
            );
        }
    }
    return {};
}

void add_native_routes(http::Router& router, const ApiParts& parts) {
    const auto shared = std::make_shared<const ApiParts>(parts);
    add_native_job_routes(router, shared);
    add_native_upload_routes(router, shared);
    add_native_image_routes(router, shared);
    add_native_event_routes(router, shared);
    add_native_queue_routes(router, shared);
    add_native_worker_routes(router, shared);
    add_native_log_routes(router, shared);
    add_native_trace_routes(router, shared);
    add_native_model_routes(router, shared);
    add_native_report_routes(router, shared);
    add_native_usage_routes(router, shared);
    add_native_key_routes(router, shared);
    add_native_document_routes(router);
}

}  // namespace tessera::api
