#pragma once

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace tessera {

/// What in an ExportTraceServiceRequest is not as opentelemetry-proto (trace/v1, common/v1,
/// resource/v1) and OTLP's rules for JSON want it, or that Tessera does not send. Empty: nothing.
class OtlpSchema {
  public:
    using Json = nlohmann::json;

    [[nodiscard]] static std::string violation(const std::string& body) {
        const Json request = Json::parse(body, nullptr, false);
        OtlpSchema schema;
        schema.check_request(request);
        return schema.violation_;
    }

  private:
    void blame(const std::string& what, const Json& value) {
        if (violation_.empty()) {
            violation_ = what + ": " + value.dump();
        }
    }
    /// An object with no other fields, and all of the first `needed`.
    bool check_object(
        const std::string& what,
        const Json& value,
        std::initializer_list<std::string_view> fields,
        std::size_t needed
    ) {
        if (!value.is_object()) {
            blame(what + " is no object", value);
            return false;
        }
        for (const auto& [name, field] : value.items()) {
            if (std::ranges::find(fields, name) == fields.end()) {
                blame(what + " has no " + name, field);
            }
        }
        for (const std::string_view name : std::span(fields.begin(), needed)) {
            if (!value.contains(name)) {
                blame(fmt::format("{} lacks {}", what, name), value);
            }
        }
        return violation_.empty();
    }
    bool check_array(const std::string& what, const Json& value) {
        if (!value.is_array()) {
            blame(what + " is no array", value);
        }
        return violation_.empty();
    }
    void check_id(const std::string& what, const Json& value, std::size_t digits) {
        const bool is_hex =
            value.is_string() && value.get<std::string>().size() == digits &&
            value.get<std::string>().find_first_not_of("0123456789abcdef") == std::string::npos;
        if (!is_hex || value.get<std::string>().find_first_not_of('0') == std::string::npos) {
            blame(what + " is no id", value);
        }
    }
    /// A 64-bit number, which JSON cannot carry as one.
    [[nodiscard]] std::uint64_t check_number(const std::string& what, const Json& value) {
        const std::string text = value.is_string() ? value.get<std::string>() : "";
        if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) {
            blame(what + " is no number in quotes", value);
            return 0;
        }
        return std::stoull(text);
    }
    void check_attributes(const Json& attributes) {
        std::set<std::string> keys;
        if (!check_array("attributes", attributes)) {
            return;
        }
        for (const Json& attribute : attributes) {
            if (!check_object("attribute", attribute, {"key", "value"}, 2)) {
                return;
            }
            if (!attribute["key"].is_string() || !keys.insert(attribute["key"]).second) {
                blame("key is none, or there twice", attribute["key"]);
            }
            const Json& value = attribute["value"];
            const bool is_one = value.is_object() && value.size() == 1;
            const std::string type = is_one ? value.items().begin().key() : "";
            const bool fits = (type == "stringValue" && value[type].is_string()) ||
                              (type == "doubleValue" && value[type].is_number()) ||
                              (type == "boolValue" && value[type].is_boolean()) ||
                              (type == "intValue" && value[type].is_string() &&
                               value[type].get<std::string>().find_first_not_of("-0123456789") ==
                                   std::string::npos);
            if (!fits) {
                blame("value is no AnyValue", value);
            }
        }
    }
    void check_span(const Json& span) {
        if (!check_object(
                "span",
                span,
                {"traceId",
                 "spanId",
                 "name",
                 "startTimeUnixNano",
                 "endTimeUnixNano",
                 "kind",
                 "parentSpanId",
                 "attributes",
                 "status"},
                5
            )) {
            return;
        }
        check_id("traceId", span["traceId"], 32);
        check_id("spanId", span["spanId"], 16);
        if (span.contains("parentSpanId")) {
            check_id("parentSpanId", span["parentSpanId"], 16);
        }
        if (!span["name"].is_string() || span["name"].get<std::string>().empty()) {
            blame("name is none", span["name"]);
        }
        const auto start = check_number("startTimeUnixNano", span["startTimeUnixNano"]);
        const auto end = check_number("endTimeUnixNano", span["endTimeUnixNano"]);
        if (start == 0 || end < start) {
            blame("a span ends before it begins", span);
        }
        const Json kind = span.value("kind", Json(0));
        if (!kind.is_number_integer() || kind < 0 || kind > 5) {
            blame("kind is no SpanKind", kind);
        }
        check_attributes(span.value("attributes", Json::array()));
        const Json status = span.value("status", Json::object());
        if (check_object("status", status, {"code", "message"}, 0)) {
            const Json code = status.value("code", Json(0));
            if (!code.is_number_integer() || code < 0 || code > 2) {
                blame("code is no StatusCode", code);
            }
        }
    }
    void check_request(const Json& request) {
        if (!check_object("request", request, {"resourceSpans"}, 1) ||
            !check_array("resourceSpans", request["resourceSpans"])) {
            return;
        }
        for (const Json& resource : request["resourceSpans"]) {
            if (!check_object("resourceSpans", resource, {"resource", "scopeSpans"}, 2) ||
                !check_object("resource", resource["resource"], {"attributes"}, 0) ||
                !check_array("scopeSpans", resource["scopeSpans"])) {
                return;
            }
            check_attributes(resource["resource"].value("attributes", Json::array()));
            for (const Json& scope : resource["scopeSpans"]) {
                if (!check_object("scopeSpans", scope, {"scope", "spans"}, 2) ||
                    !check_object("scope", scope["scope"], {"name", "version"}, 0) ||
                    !check_array("spans", scope["spans"])) {
                    return;
                }
                for (const Json& span : scope["spans"]) {
                    check_span(span);
                }
            }
        }
    }

    std::string violation_;
};

}  // namespace tessera
