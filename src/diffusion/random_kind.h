#pragma once

#include "base/result.h"

#include <cstdint>
#include <string_view>

namespace tessera {

/// Whose stream of random numbers a seed names. The values are stored; do not change them.
enum class RandomKind : std::uint8_t {
    kCpu = 0,   ///< PyTorch's CPU generator: TorchRandom
    kCuda = 1,  ///< PyTorch's CUDA generator: PhiloxRandom
};

/// "cpu" or "cuda", and A1111's "CPU", "GPU" and "NV", in upper or lower case. kNotFound with the
/// names that there are.
[[nodiscard]] Result<RandomKind> find_random_kind(std::string_view name);

/// The name that find_random_kind takes: "cpu", "cuda".
[[nodiscard]] std::string_view to_string(RandomKind kind);

}  // namespace tessera
