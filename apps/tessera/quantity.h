#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tessera::cli {

/// "25 MB", "1.7 GB": powers of 1000, three digits at most.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

/// "500MB", "20 GB", "1.5 TB" or plain bytes; powers of 1000 (KiB and so on: of 1024).
/// kInvalidArgument.
[[nodiscard]] Result<std::uint64_t> parse_bytes(std::string_view text);

/// "0.8 s", "45 s", "3 min 20 s", "2 h 5 min".
[[nodiscard]] std::string format_seconds(double seconds);

/// "512x768" as {512, 768}: any two numbers; whether they make sense is for others to say.
/// kInvalidArgument.
[[nodiscard]] Result<std::pair<int, int>> parse_width_height(std::string_view text);

}  // namespace tessera::cli
