#pragma once

#include <cstdint>

namespace tessera {

/// What this process has in memory; 0 where it cannot be told.
[[nodiscard]] std::uint64_t resident_bytes();

}  // namespace tessera
