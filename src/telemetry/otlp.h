#pragma once

#include "telemetry/span.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tessera {

/// Spans on their way to a collector, of one trace.
struct SpanBatch {
    TraceId trace;
    std::span<const Span> spans;  ///< ended
};

/// An ExportTraceServiceRequest of OTLP 1.x in the JSON encoding of Protocol Buffers, with OTLP's
/// own rules: ids in hex, 64-bit numbers as text. `service` are the resource's attributes. What is
/// no UTF-8 becomes U+FFFD.
[[nodiscard]] std::string otlp_json(
    std::span<const std::pair<std::string, std::string>> service, std::span<const SpanBatch> batches
);

}  // namespace tessera
