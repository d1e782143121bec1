#include "tessera/value_list.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace tessera::cli {
namespace {

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// Cuts the quoted text off the front; nothing when it is not closed. "" inside stands for ".
std::optional<std::string> take_quoted(std::string_view& rest) {
    std::string value;
    for (std::size_t at = 1; at < rest.size(); ++at) {
        if (rest[at] != '"') {
            value += rest[at];
        } else if (at + 1 < rest.size() && rest[at + 1] == '"') {
            value += rest[at++];
        } else {
            rest.remove_prefix(at + 1);
            return value;
        }
    }
    return std::nullopt;
}

/// How a range goes on after its two ends.
struct Progression {
    std::optional<double> step;
    std::optional<std::size_t> count;
};

/// Cuts a number off the front.
std::optional<double> take_number(std::string_view& rest) {
    rest = trim(rest);
    const bool plus = rest.starts_with('+');
    const std::string_view digits = plus ? trim(rest.substr(1)) : rest;
    double value = 0.0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || !std::isfinite(value)) {
        return std::nullopt;
    }
    rest = trim(digits.substr(static_cast<std::size_t>(end - digits.data())));
    return value;
}

/// "", "+5", "(+5)", "(-5)" or "[3]".
std::optional<Progression> read_progression(std::string_view rest) {
    Progression progression;
    if (rest.empty()) {
        return progression;
    }
    const char open = rest.front();
    const char close = open == '(' ? ')' : open == '[' ? ']' : '\0';
    if (close != '\0') {
        if (rest.back() != close) {
            return std::nullopt;
        }
        rest = rest.substr(1, rest.size() - 2);
    } else if (open != '+') {
        return std::nullopt;
    }
    const auto number = take_number(rest);
    if (!number || !rest.empty()) {
        return std::nullopt;
    }
    if (open != '[') {
        progression.step = number;
    } else if (*number >= 1.0 && *number <= 1e6 && std::floor(*number) == *number) {
        progression.count = static_cast<std::size_t>(*number);
    } else {
        return std::nullopt;
    }
    return progression;
}

std::string written(double number, bool whole) {
    if (whole) {
        return fmt::format("{:.0f}", std::trunc(number));
    }
    // Eight digits behind the point, as A1111 shows them, hide what adding up leaves behind.
    const double rounded = std::round(number * 1e8) / 1e8;
    return fmt::format("{}", rounded == 0.0 ? 0.0 : rounded);
}

}  // namespace

Result<std::vector<std::string>> split_values(std::string_view text) {
    std::vector<std::string> values;
    std::string_view rest = text;
    while (true) {
        rest = trim(rest);
        if (rest.starts_with('"')) {
            auto quoted = take_quoted(rest);
            rest = trim(rest);
            if (!quoted || !(rest.empty() || rest.starts_with(','))) {
                return fail(
                    ErrorKind::kInvalidArgument,
                    "a quote is not closed, or something stands behind it; write \"\" for a quote "
                    "in a value"
                );
            }
            values.push_back(*std::move(quoted));
        } else {
            const std::string_view value = trim(rest.substr(0, rest.find(',')));
            if (value.empty()) {
                return fail(
                    ErrorKind::kInvalidArgument, "a value is missing; write \"\" for an empty one"
                );
            }
            values.emplace_back(value);
            rest.remove_prefix(std::min(rest.find(','), rest.size()));
        }
        if (rest.empty()) {
            return values;
        }
        rest.remove_prefix(1);
    }
}

Result<std::vector<std::string>> expand_range(std::string_view text, bool whole, std::size_t most) {
    std::vector<std::string> as_it_is{std::string(text)};
    std::string_view rest = text;
    const auto first = take_number(rest);
    if (!first || !rest.starts_with('-')) {
        return as_it_is;
    }
    rest.remove_prefix(1);
    const auto last = take_number(rest);
    const auto progression = last ? read_progression(rest) : std::nullopt;
    if (!progression) {
        return as_it_is;
    }
    constexpr double kExact = 9007199254740992.0;  // 2^53
    if (whole && (std::abs(*first) > kExact || std::abs(*last) > kExact)) {
        return fail(
            ErrorKind::kInvalidArgument, "{} is too large a range; write each number", text
        );
    }
    const double step = progression->step.value_or(1.0);
    const double steps = step == 0.0 ? -1.0 : (*last - *first) / step;
    if (!progression->count && !(steps >= 0.0)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} never gets from {} to {}; write (+5) to go up, (-5) to go down",
            text,
            *first,
            *last
        );
    }
    if (!whole && !progression->step && !progression->count && steps < 1.0 && steps != 0.0) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} does not say by how much to go on; write {}-{} (+{})",
            text,
            *first,
            *last,
            (*last - *first) / 2.0
        );
    }
    // A little more than the last, so that 0.1 + 0.2 still reaches 0.3.
    const double count = progression->count ? static_cast<double>(*progression->count)
                                            : std::floor(steps + 1e-6) + 1.0;
    if (count > static_cast<double>(most)) {
        return fail(
            ErrorKind::kExhausted,
            "{} is a range of {:.0f} values, and {} is the most there may be",
            text,
            count,
            most
        );
    }
    std::vector<std::string> numbers;
    const double even = count > 1.0 ? (*last - *first) / (count - 1.0) : 0.0;
    const double apart = progression->count ? even : step;
    while (numbers.size() < static_cast<std::size_t>(count)) {
        numbers.push_back(written(*first + static_cast<double>(numbers.size()) * apart, whole));
    }
    return numbers;
}

}  // namespace tessera::cli
