#pragma once

#include "base/result.h"

#include <map>
#include <string>
#include <string_view>

namespace tessera::http {

/// %41 becomes A. kInvalidArgument for a broken escape, for control characters and for what is not
/// UTF-8 after it.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text);

/// Everything but letters, digits and "-._~" as %XX.
[[nodiscard]] std::string percent_encode(std::string_view text);

/// A request's target, taken apart.
struct Target {
    std::string path;      ///< decoded
    std::string raw_path;  ///< as it was sent: a "/" in it always parts two segments
    /// Decoded ("+" is a space); the last of equal names counts.
    std::map<std::string, std::string> query;
};

/// "/path?query", "http://host/path?query" or "*". kInvalidArgument for anything else.
[[nodiscard]] Result<Target> parse_target(std::string_view target);

/// "a=1&b=2", as a query or the body of a form has it.
[[nodiscard]] Result<std::map<std::string, std::string>> parse_form(std::string_view text);

}  // namespace tessera::http
