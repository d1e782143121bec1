#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tessera::http {

/// A field's value with its parameters: `form-data; name="image"`, `application/json;
/// charset=utf-8`.
struct ParameterizedValue {
    std::string value;                                            ///< in lower case
    std::vector<std::pair<std::string, std::string>> parameters;  ///< names in lower case

    /// The first of that name.
    [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

/// Nothing when it is not well-formed.
[[nodiscard]] std::optional<ParameterizedValue> parse_parameterized(std::string_view text);

/// Which of `offers` ("application/json", "application/msgpack") an Accept field wants most, by its
/// index; the first of equals. An empty Accept takes the first; nothing when it refuses them all.
[[nodiscard]] std::optional<std::size_t> preferred_type(
    std::string_view accept, std::span<const std::string_view> offers
);

}  // namespace tessera::http
