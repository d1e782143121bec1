#include "api/native_internal.h"
#include "events/job_traces.h"

#include <utility>
#include <variant>

namespace tessera::api {
namespace {

double seconds_between(SpanTime from, SpanTime to) {
    return std::chrono::duration<double>(to - from).count();
}

OrderedJson span_json(const Span& span, SpanTime began) {
    OrderedJson json;
    json["id"] = to_string(span.id);
    if (span.parent != SpanId()) {
        json["parent"] = to_string(span.parent);
    }
    json["name"] = span.name;
    json["begin"] = seconds_between(began, span.begin);
    if (span.end) {
        json["end"] = seconds_between(began, *span.end);
    }
    if (!span.error.empty()) {
        json["error"] = span.error;
    }
    json["attributes"] = OrderedJson::object();
    for (const auto& attribute : span.attributes) {
        OrderedJson& place = json["attributes"][attribute.first];
        std::visit([&place](const auto& value) { place = value; }, attribute.second);
    }
    return json;
}

OrderedJson trace_json(const JobId& job, const JobTrace& trace) {
    OrderedJson json;
    json["job"] = job.value;
    json["trace_id"] = to_string(trace.trace.id);
    json["began"] = iso_time(std::chrono::floor<WallTime::duration>(trace.began));
    json["seconds"] = seconds_between(trace.began, trace.until);
    json["has_ended"] = trace.has_ended;
    json["left_out"] = trace.left_out;
    json["spans"] = OrderedJson::array();
    for (const Span& span : trace.trace.spans) {
        json["spans"].push_back(span_json(span, trace.began));
    }
    return json;
}

Checked<http::Response> trace(
    const ApiParts& parts, const http::Request& request, const Caller& caller
) {
    TESSERA_ASSIGN(const JobView job, find_job(parts.queue, caller, parameter_of(request, "id")));
    const auto trace = parts.traces->trace(job.id);
    if (!trace) {
        return refuse(
            {},
            ErrorKind::kNotFound,
            "the trace of job {} is not kept any more: the server has those of jobs that run and "
            "of the last that ended since it started; trace.endpoint sends them to a collector",
            job.id.value
        );
    }
    return json_answer(request, 200, trace_json(job.id, *trace));
}

}  // namespace

void add_native_trace_routes(http::Router& router, const SharedParts& parts) {
    router.add(
        "GET",
        "/api/v1/jobs/{id}/trace",
        answering([parts](const http::Request& request, const Caller& caller) {
            return trace(*parts, request, caller);
        })
    );
}

}  // namespace tessera::api
