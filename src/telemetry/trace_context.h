#pragma once

#include "base/id.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tessera {

// Names of W3C Trace Context. 0 is none.

struct TraceId {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    bool operator==(const TraceId&) const = default;
};

struct SpanId {
    std::uint64_t value = 0;

    bool operator==(const SpanId&) const = default;
};

/// Where in which trace somebody works: what travels as "traceparent".
struct TraceContext {
    TraceId trace;
    SpanId span;
    bool sampled = true;  ///< somebody upstream keeps the trace

    bool operator==(const TraceContext&) const = default;
};

/// 32 and 16 hex digits.
[[nodiscard]] std::string to_string(const TraceId& id);
[[nodiscard]] std::string to_string(const SpanId& id);

/// "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".
[[nodiscard]] std::string to_traceparent(const TraceContext& context);
/// Nothing when it is none. Of later versions what version 00 knows is read.
[[nodiscard]] std::optional<TraceContext> parse_traceparent(std::string_view text);

// Every process that works on a job finds the same names without asking another one: they follow
// from the job's id. `caller` is the traceparent that came with the job, or empty.

/// The job's own span: in the caller's trace, or else in one of its own.
[[nodiscard]] TraceContext job_context(const JobId& job, std::string_view caller);
/// An attempt at one of its tasks.
[[nodiscard]] TraceContext attempt_context(
    const JobId& job, std::string_view caller, int task, std::uint64_t epoch
);
/// A span within another one, by a number that no other has there.
[[nodiscard]] SpanId child_of(SpanId parent, std::uint64_t number);

}  // namespace tessera
