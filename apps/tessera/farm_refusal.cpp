#include "tessera/farm_refusal.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tessera::cli {

std::string refusal_of(const http::Response& response) {
    const auto json = nlohmann::json::parse(response.body, nullptr, false);
    const nlohmann::json::json_pointer place("/error/message");
    if (json.is_object() && json.contains(place) && json.at(place).is_string()) {
        return json.at(place).get<std::string>();
    }
    return fmt::format("the server answers {}", response.status);
}

}  // namespace tessera::cli
