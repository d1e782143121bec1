#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace tessera {

/// The whole text as a number in the form of programming languages, whatever the locale: no space,
/// no plus sign. Nothing when it is anything else or does not fit. Reads "nan" and "inf" as a real
/// number.
template <class Number>
[[nodiscard]] std::optional<Number> read_number(std::string_view text) {
    Number number{};
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [rest, error] = std::from_chars(begin, end, number);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

}  // namespace tessera
