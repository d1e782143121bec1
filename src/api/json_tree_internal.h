#pragma once

#include "base/result.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string_view>

namespace tessera::api {

/// Strangers' JSON or MessagePack as a tree of values, in bounded depth and number. See
/// JsonObject::parse for what is refused.
[[nodiscard]] Result<nlohmann::json> read_json_tree(
    bool is_message_pack, std::string_view body, std::size_t max_depth, std::size_t max_values
);

}  // namespace tessera::api
