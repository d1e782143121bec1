#pragma once

#include "base/result.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tessera {

/// JSON out of a picture at most; a real workflow has some 100 KB, more with pictures inside.
inline constexpr std::size_t kMostForeignJson = std::size_t{8} << 20U;
/// How deep it may be nested.
inline constexpr std::size_t kDeepestForeignJson = 64;

/// One JSON object from another program, `what` it is for messages ("the ComfyUI workflow").
/// Python's NaN and Infinity, which are no JSON, become null. kCorrupt, or kExhausted beyond the
/// limits above.
[[nodiscard]] Result<nlohmann::json> parse_bounded_json(
    std::string_view what, std::string_view text
);

/// The member of an object; null when there is none or it is no object.
[[nodiscard]] const nlohmann::json& member(const nlohmann::json& object, const char* key);

/// A text, number or truth value as one would type it: 7.0 as "7", true as "true". Nothing for all
/// else.
[[nodiscard]] std::optional<std::string> scalar_text(const nlohmann::json& value);

}  // namespace tessera
