#include "config/units.h"

#include "base/number.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace tessera {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

// Microseconds, from large to small.
constexpr std::array<Unit, 6> kTimeUnits{{
    {"d", 86'400'000'000},
    {"h", 3'600'000'000},
    {"m", 60'000'000},
    {"s", 1'000'000},
    {"ms", 1'000},
    {"us", 1},
}};
constexpr std::array<Unit, 9> kSizeUnits{{
    {"TiB", 1ULL << 40U},
    {"GiB", 1ULL << 30U},
    {"MiB", 1ULL << 20U},
    {"KiB", 1ULL << 10U},
    {"TB", 1'000'000'000'000},
    {"GB", 1'000'000'000},
    {"MB", 1'000'000},
    {"kB", 1'000},
    {"B", 1},
}};
constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

/// Takes a number's digits, and a point among them, from the front.
std::string_view take_number(std::string_view& text) {
    const std::size_t end = text.find_first_not_of("0123456789.");
    const std::string_view number = text.substr(0, end);
    text.remove_prefix(number.size());
    return number;
}

std::string_view take_word(std::string_view& text) {
    const std::size_t end = text.find_first_of("0123456789.");
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(word.size());
    return word;
}

/// Nothing when it is no number, or the product has a fraction or does not fit.
std::optional<std::uint64_t> times(std::string_view number, std::uint64_t factor) {
    if (const auto whole = read_number<std::uint64_t>(number)) {
        return *whole <= kMost / factor ? std::optional(*whole * factor) : std::nullopt;
    }
    const auto real = read_number<double>(number);
    const double product = real ? *real * static_cast<double>(factor) : -1.0;
    constexpr double kExactBelow = 9007199254740992.0;  // 2^53
    const double rounded = std::round(product);
    if (product < 0.0 || product >= kExactBelow || std::abs(product - rounded) > 1e-6) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(rounded);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    const auto wrong = [text] {
        return fail(
            ErrorKind::kInvalidArgument,
            "'{}' is no duration; write it like \"30s\", \"5m\", \"1h30m\", \"250ms\"",
            text
        );
    };
    if (text == "0") {
        return Duration(0);
    }
    std::uint64_t total = 0;
    std::size_t next_unit = 0;
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::string_view number = take_number(rest);
        const std::string_view name = take_word(rest);
        while (next_unit < kTimeUnits.size() && kTimeUnits[next_unit].name != name) {
            ++next_unit;
        }
        if (next_unit == kTimeUnits.size() || (!rest.empty() && number.find('.') != number.npos)) {
            return wrong();
        }
        const auto part = times(number, kTimeUnits[next_unit].factor);
        if (!part || *part > kMost - total) {
            return wrong();
        }
        total += *part;
        ++next_unit;
    }
    if (text.empty()) {
        return wrong();
    }
    return Duration(static_cast<Duration::rep>(total));
}

std::string to_text(Duration duration) {
    std::string text;
    auto rest = static_cast<std::uint64_t>(duration.count());
    for (const Unit& unit : kTimeUnits) {
        if (rest >= unit.factor) {
            text += fmt::format("{}{}", rest / unit.factor, unit.name);
            rest %= unit.factor;
        }
    }
    return text.empty() ? "0s" : text;
}

Result<ByteSize> parse_byte_size(std::string_view text) {
    std::string_view rest = text;
    const std::string_view number = take_number(rest);
    for (const Unit& unit : kSizeUnits) {
        if (rest == unit.name || (rest.empty() && unit.factor == 1)) {
            if (const auto bytes = times(number, unit.factor)) {
                return ByteSize{*bytes};
            }
        }
    }
    return fail(
        ErrorKind::kInvalidArgument,
        "'{}' is no size; write it like \"20GiB\", \"512MB\", \"4096\"",
        text
    );
}

std::string to_text(ByteSize size) {
    for (const Unit& unit : kSizeUnits) {
        if (size.bytes >= unit.factor && size.bytes % unit.factor == 0) {
            return fmt::format("{}{}", size.bytes / unit.factor, unit.name);
        }
    }
    return "0";
}

}  // namespace tessera
