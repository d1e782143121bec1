#pragma once

#include "api/api.h"
#include "api/api_fault.h"
#include "api/job_json_internal.h"

#include <functional>
#include <memory>

/// The parts of the native API, one file each. What they share: parts that live as long as any
/// handler, answers by value, errors in one shape.
namespace tessera::api {

using SharedParts = std::shared_ptr<const ApiParts>;
using ExchangePtr = std::shared_ptr<http::Exchange>;

void add_native_job_routes(http::Router& router, const SharedParts& parts);
void add_native_upload_routes(http::Router& router, const SharedParts& parts);
void add_native_image_routes(http::Router& router, const SharedParts& parts);
void add_native_event_routes(http::Router& router, const SharedParts& parts);
void add_native_queue_routes(http::Router& router, const SharedParts& parts);
void add_native_worker_routes(http::Router& router, const SharedParts& parts);
void add_native_model_routes(http::Router& router, const SharedParts& parts);
void add_native_report_routes(http::Router& router, const SharedParts& parts);
void add_native_usage_routes(http::Router& router, const SharedParts& parts);
void add_native_log_routes(http::Router& router, const SharedParts& parts);
void add_native_trace_routes(http::Router& router, const SharedParts& parts);
void add_native_key_routes(http::Router& router, const SharedParts& parts);
void add_native_document_routes(http::Router& router);

/// A handler that answers at once.
[[nodiscard]] http::Handler answering(
    std::function<Checked<http::Response>(const http::Request&, const Caller&)> answer
);

[[nodiscard]] http::Response fault_answer(const ApiFault& fault);

/// kDenied unless the caller is an administrator.
[[nodiscard]] Status require_admin(const Caller& caller);

/// The tenant that a caller's lists are restricted to; empty: none, for administrators.
[[nodiscard]] Result<std::string> tenant_scope(const Caller& caller);

/// The {name} of the route's pattern.
[[nodiscard]] std::string parameter_of(const http::Request& request, const std::string& name);

/// A whole number of the query; kInvalidArgument outside the bounds.
[[nodiscard]] Checked<int> query_number(
    const http::Request& request, const std::string& name, int usual, int least, int most
);

/// Fields of the query that nobody knows are mistakes.
[[nodiscard]] Checked<void> check_query(
    const http::Request& request, std::initializer_list<std::string_view> known
);

}  // namespace tessera::api
