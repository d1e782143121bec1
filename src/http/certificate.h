#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <filesystem>

namespace tessera::http {

/// Until when the first certificate of a PEM file is good. kInvalidArgument names the file.
[[nodiscard]] Result<WallTime> certificate_expiry(const std::filesystem::path& file);

}  // namespace tessera::http
