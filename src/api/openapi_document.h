#pragma once

#include <string_view>

namespace tessera::api {

/// api/openapi.json as it was when the program was built.
[[nodiscard]] std::string_view openapi_document();

}  // namespace tessera::api
