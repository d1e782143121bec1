#pragma once

#include <cstdint>

namespace tessera {

/// Bytes that this process could still take without swapping: the machine's, or what its control
/// group leaves where that is less. The largest number when the system does not say.
[[nodiscard]] std::uint64_t available_memory();

}  // namespace tessera
