#pragma once

#include <string>

namespace tessera::cli {

/// "tessera 0.1.0"; stands in pictures too.
[[nodiscard]] std::string version_text();

}  // namespace tessera::cli
