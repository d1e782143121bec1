#include "telemetry/otlp.h"

#include <nlohmann/json.hpp>

namespace tessera {
namespace {

using Json = nlohmann::ordered_json;

// Span.SpanKind and Status.StatusCode.
constexpr int kInternal = 1;
constexpr int kServer = 2;
constexpr int kError = 2;

std::string nanoseconds(SpanTime time) {
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch());
    return std::to_string(since.count());
}

Json value_json(const SpanValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        return {{"stringValue", *text}};
    }
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        return {{"intValue", std::to_string(*number)}};
    }
    return {{"doubleValue", std::get<double>(value)}};
}

Json attribute_json(const std::string& key, const SpanValue& value) {
    return {{"key", key}, {"value", value_json(value)}};
}

Json span_json(const TraceId& trace, const Span& span, bool is_entry) {
    Json json;
    json["traceId"] = to_string(trace);
    json["spanId"] = to_string(span.id);
    if (span.parent != SpanId()) {
        json["parentSpanId"] = to_string(span.parent);
    }
    json["name"] = span.name;
    json["kind"] = is_entry ? kServer : kInternal;
    json["startTimeUnixNano"] = nanoseconds(span.begin);
    json["endTimeUnixNano"] = nanoseconds(span.end.value_or(span.begin));
    json["attributes"] = Json::array();
    for (const auto& [key, value] : span.attributes) {
        json["attributes"].push_back(attribute_json(key, value));
    }
    json["status"] = Json::object();
    if (!span.error.empty()) {
        json["status"] = {{"code", kError}, {"message", span.error}};
    }
    return json;
}

}  // namespace

std::string otlp_json(
    std::span<const std::pair<std::string, std::string>> service,
    std::span<const SpanBatch> batches
) {
    Json spans = Json::array();
    for (const SpanBatch& batch : batches) {
        for (const Span& span : batch.spans) {
            spans.push_back(span_json(batch.trace, span, span.is_entry));
        }
    }
    Json resource;
    resource["attributes"] = Json::array();
    for (const auto& [key, value] : service) {
        resource["attributes"].push_back(attribute_json(key, value));
    }
    Json scope;
    scope["scope"] = {{"name", "tessera"}};
    scope["spans"] = std::move(spans);
    Json one;
    one["resource"] = std::move(resource);
    one["scopeSpans"] = Json::array({std::move(scope)});
    const Json request = {{"resourceSpans", Json::array({std::move(one)})}};
    return request.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tessera
