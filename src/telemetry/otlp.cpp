#include "telemetry/otlp.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace tessera {
namespace {

// Span.SpanKind and Status.StatusCode.
constexpr int kInternal = 1;
constexpr int kServer = 2;
constexpr int kError = 2;

/// Writes as it goes, since every job's trace passes here: no tree is built.
class Writer {
  public:
    template <class... Args>
    void raw(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    }
    void text(std::string_view value) {
        const auto is_plain = [](char letter) {
            return letter >= ' ' && letter <= '~' && letter != '"' && letter != '\\';
        };
        if (std::ranges::all_of(value, is_plain)) {
            raw("\"{}\"", value);
        } else {
            using Json = nlohmann::json;
            text_ += Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
        }
    }
    /// The comma before all but the first.
    void next(bool& is_first) {
        if (!is_first) {
            text_ += ',';
        }
        is_first = false;
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

void write_value(Writer& writer, const SpanValue& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        writer.raw("{{\"intValue\":\"{}\"}}", *number);
        return;
    }
    writer.raw("{{\"stringValue\":");
    writer.text(std::get<std::string>(value));
    writer.raw("}}");
}

template <class Attributes>
void write_attributes(Writer& writer, const Attributes& attributes) {
    writer.raw("\"attributes\":[");
    bool is_first = true;
    for (const auto& [key, value] : attributes) {
        writer.next(is_first);
        writer.raw("{{\"key\":");
        writer.text(key);
        writer.raw(",\"value\":");
        write_value(writer, value);
        writer.raw("}}");
    }
    writer.raw("]");
}

std::int64_t nanoseconds(SpanTime time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

void write_span(Writer& writer, const TraceId& trace, const Span& span) {
    writer.raw(
        "{{\"traceId\":\"{:016x}{:016x}\",\"spanId\":\"{:016x}\",",
        trace.high,
        trace.low,
        span.id.value
    );
    if (span.parent != SpanId()) {
        writer.raw("\"parentSpanId\":\"{:016x}\",", span.parent.value);
    }
    writer.raw("\"name\":");
    writer.text(span.name);
    writer.raw(
        ",\"kind\":{},\"startTimeUnixNano\":\"{}\",\"endTimeUnixNano\":\"{}\",",
        span.is_entry ? kServer : kInternal,
        nanoseconds(span.begin),
        nanoseconds(span.end.value_or(span.begin))
    );
    write_attributes(writer, span.attributes);
    if (span.error.empty()) {
        writer.raw(",\"status\":{{}}}}");
    } else {
        writer.raw(",\"status\":{{\"code\":{},\"message\":", kError);
        writer.text(span.error);
        writer.raw("}}}}");
    }
}

}  // namespace

std::string otlp_json(
    std::span<const std::pair<std::string, std::string>> service, std::span<const SpanBatch> batches
) {
    Writer writer;
    writer.raw("{{\"resourceSpans\":[{{\"resource\":{{");
    write_attributes(writer, service);
    writer.raw("}},\"scopeSpans\":[{{\"scope\":{{\"name\":\"tessera\"}},\"spans\":[");
    bool is_first = true;
    for (const SpanBatch& batch : batches) {
        for (const Span& span : batch.spans) {
            writer.next(is_first);
            write_span(writer, batch.trace, span);
        }
    }
    writer.raw("]}}]}}]}}");
    return writer.take();
}

}  // namespace tessera
