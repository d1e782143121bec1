#pragma once

#include "base/result.h"
#include "config/config.h"

#include <string>
#include <string_view>

namespace tessera {

/// "30s", "250ms", "1h30m", "7d": numbers, whole but for the last ("1.5s"), each with a unit out of
/// us, ms, s, m, h, d, from large to small. "0" needs none. kInvalidArgument.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
/// The shortest such text that gives the same: "1h30m", "0s".
[[nodiscard]] std::string to_text(Duration duration);

/// "20GiB", "1.5MB", "4096": a number of bytes with a unit out of B, kB, MB, GB, TB (powers of
/// 1000), KiB, MiB, GiB, TiB (of 1024), or without. kInvalidArgument.
[[nodiscard]] Result<ByteSize> parse_byte_size(std::string_view text);
/// Exact: "20GiB", "1000B".
[[nodiscard]] std::string to_text(ByteSize size);

}  // namespace tessera
