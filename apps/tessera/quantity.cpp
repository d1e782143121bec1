#include "tessera/quantity.h"

#include "base/number.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tessera::cli {
namespace {

struct Unit {
    std::string_view name;
    double bytes;
};

constexpr std::array<Unit, 4> kUnits{{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}}};

constexpr std::array<Unit, 14> kAccepted{{
    {"", 1.0},
    {"b", 1.0},
    {"kb", 1e3},
    {"mb", 1e6},
    {"gb", 1e9},
    {"tb", 1e12},
    {"k", 1e3},
    {"m", 1e6},
    {"g", 1e9},
    {"t", 1e12},
    {"kib", 1024.0},
    {"mib", 1024.0 * 1024.0},
    {"gib", 1024.0 * 1024.0 * 1024.0},
    {"tib", 1024.0 * 1024.0 * 1024.0 * 1024.0},
}};

}  // namespace

std::string format_bytes(std::uint64_t bytes) {
    const auto amount = static_cast<double>(bytes);
    for (const Unit& unit : kUnits) {
        const double scaled = amount / unit.bytes;
        if (scaled >= 1.0) {
            return scaled < 10.0 ? fmt::format("{:.1f} {}", scaled, unit.name)
                                 : fmt::format("{:.0f} {}", scaled, unit.name);
        }
    }
    return fmt::format("{} bytes", bytes);
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
    constexpr double kMost = 1e18;
    const auto unit_at = std::min(text.find_first_not_of("0123456789."), text.size());
    std::string unit;
    for (const char c : text.substr(unit_at)) {
        if (c != ' ') {
            unit += static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
        }
    }
    if (const auto amount = read_number<double>(text.substr(0, unit_at))) {
        for (const Unit& accepted : kAccepted) {
            if (accepted.name == unit && *amount * accepted.bytes <= kMost) {
                return static_cast<std::uint64_t>(*amount * accepted.bytes);
            }
        }
    }
    return fail(ErrorKind::kInvalidArgument, "\"{}\" is no amount of bytes such as 20GB", text);
}

std::string format_seconds(double seconds) {
    if (seconds < 9.95) {
        return fmt::format("{:.1f} s", seconds);
    }
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole < 60) {
        return fmt::format("{} s", whole);
    }
    if (whole < 3600) {
        return fmt::format("{} min {} s", whole / 60, whole % 60);
    }
    return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

Result<std::pair<int, int>> parse_width_height(std::string_view text) {
    const auto cross = std::min(text.find_first_of("xX"), text.size());
    const auto width = read_number<int>(text.substr(0, cross));
    const auto height = read_number<int>(text.substr(std::min(cross + 1, text.size())));
    if (!width || !height) {
        return fail(
            ErrorKind::kInvalidArgument, "\"{}\" is no size; write WIDTHxHEIGHT, as 512x768", text
        );
    }
    return std::pair(*width, *height);
}

}  // namespace tessera::cli
