#pragma once

#include "telemetry/trace_context.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tessera {

/// A moment in the world; within a trace they are as exact as a monotonic clock.
using SpanTime = std::chrono::sys_time<std::chrono::microseconds>;

using SpanValue = std::variant<std::string, std::int64_t>;

/// A piece of work in a trace, or of waiting.
struct Span {
    SpanId id;
    SpanId parent;          ///< none: it is the first of its trace
    std::string name;       ///< of a handful
    bool is_entry = false;  ///< it answers somebody outside
    SpanTime begin;
    std::optional<SpanTime> end;  ///< absent: it goes on
    std::vector<std::pair<std::string, SpanValue>> attributes;
    std::string error;  ///< what went wrong; empty: nothing
};

/// What belongs together.
struct Trace {
    TraceId id;
    bool sampled = true;
    std::vector<Span> spans;  ///< each after its parent
};

}  // namespace tessera
