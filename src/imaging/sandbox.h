#pragma once

#include "base/result.h"

#include <chrono>
#include <cstdint>

namespace tessera {

/// What the process may use that decodes one picture. The defaults are enough for any picture
/// within the default DecodeLimits.
struct SandboxLimits {
    /// Of address space beyond what the process has when it starts with the picture.
    std::uint64_t memory_bytes = std::uint64_t{2048} << 20U;
    std::chrono::seconds processor_time{20};      ///< at least 1; of all its threads together
    std::chrono::milliseconds wall_time{60'000};  ///< held by the process that asks
};

enum class SandboxStrength : std::uint32_t {
    kSeccompAndLimits = 1,
    kLimitsOnly = 2,  ///< this system offers no seccomp filters
};

/// Takes from this process, for ever and for all its threads, whatever decoding a picture in memory
/// does not need. It cannot open files or sockets, write files, or use more memory or processor
/// time than the limits, and it dies with its parent. With seccomp, moreover, it can make threads
/// but no processes, write to standard output only, and any other system call kills it (SIGSYS).
///
/// Libraries must be ready before. kInternal when the system refuses something that every Linux
/// offers; the process is then half locked in and should end.
[[nodiscard]] Result<SandboxStrength> enter_sandbox(const SandboxLimits& limits);

}  // namespace tessera
