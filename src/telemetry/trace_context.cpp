#include "telemetry/trace_context.h"

#include "base/hash.h"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <system_error>

namespace tessera {
namespace {

constexpr std::size_t kTraceparentLength = 55;

/// Lower-case hex digits alone, as the standard wants them.
template <class Number>
std::optional<Number> read_hex(std::string_view text) {
    if (text.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
        return std::nullopt;
    }
    Number number{};
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    return error == std::errc() ? std::optional(number) : std::nullopt;
}

/// 0 is no name.
std::uint64_t none_to_one(std::uint64_t number) {
    return number == 0 ? 1 : number;
}

/// What is a job's own of 128 bits.
TraceId own_id(const JobId& job) {
    const std::string hex = FastHash().add("trace").add(job.value).hex();
    const std::string_view digits = hex;
    return {
        read_hex<std::uint64_t>(digits.substr(0, 16)).value_or(0),
        none_to_one(read_hex<std::uint64_t>(digits.substr(16, 16)).value_or(0))};
}

}  // namespace

std::string to_string(const TraceId& id) {
    return fmt::format("{:016x}{:016x}", id.high, id.low);
}

std::string to_string(const SpanId& id) {
    return fmt::format("{:016x}", id.value);
}

std::string to_traceparent(const TraceContext& context) {
    return fmt::format(
        "00-{}-{}-{}",
        to_string(context.trace),
        to_string(context.span),
        context.sampled ? "01" : "00"
    );
}

std::optional<TraceContext> parse_traceparent(std::string_view text) {
    const bool is_long_enough = text.size() >= kTraceparentLength;
    if (!is_long_enough || text[2] != '-' || text[35] != '-' || text[52] != '-') {
        return std::nullopt;
    }
    const auto version = read_hex<unsigned>(text.substr(0, 2));
    const auto high = read_hex<std::uint64_t>(text.substr(3, 16));
    const auto low = read_hex<std::uint64_t>(text.substr(19, 16));
    const auto span = read_hex<std::uint64_t>(text.substr(36, 16));
    const auto flags = read_hex<unsigned>(text.substr(53, 2));
    if (!version || *version == 0xFF || !high || !low || !span || !flags) {
        return std::nullopt;
    }
    const std::string_view rest = text.substr(kTraceparentLength);
    const bool has_known_end = rest.empty() || (*version > 0 && rest.front() == '-');
    if (!has_known_end || (*high == 0 && *low == 0) || *span == 0) {
        return std::nullopt;
    }
    return TraceContext{{*high, *low}, {*span}, (*flags & 1U) != 0};
}

TraceContext job_context(const JobId& job, std::string_view caller) {
    const TraceId own = own_id(job);
    TraceContext context;
    if (const auto parent = parse_traceparent(caller)) {
        context = *parent;
    } else {
        context.trace = own;
    }
    context.span = child_of({own.high}, 0);
    return context;
}

TraceContext attempt_context(
    const JobId& job, std::string_view caller, int task, std::uint64_t epoch
) {
    constexpr std::uint64_t kTasks = std::uint64_t{1} << 32U;  // beyond the numbers of other parts
    TraceContext context = job_context(job, caller);
    context.span = child_of(context.span, kTasks + static_cast<std::uint64_t>(task));
    context.span = child_of(context.span, epoch);
    return context;
}

/// SplitMix64's step, which gives different numbers for different ones.
SpanId child_of(SpanId parent, std::uint64_t number) {
    std::uint64_t mixed = parent.value + (number + 1) * 0x9E3779B97F4A7C15U;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return {none_to_one(mixed ^ (mixed >> 31U))};
}

}  // namespace tessera
