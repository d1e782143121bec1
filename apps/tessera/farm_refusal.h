#pragma once

#include "http/message.h"

#include <string>

namespace tessera::cli {

/// Why a farm says no, in its own words: the sentence of {"error":{"message":…}}; "the server
/// answers 502" where there is none.
[[nodiscard]] std::string refusal_of(const http::Response& response);

}  // namespace tessera::cli
