#pragma once

#include "base/result.h"

#include <filesystem>

namespace tessera {

/// Writes a diffusers folder with the configuration of Stable Diffusion 1.5 and random fp32 weights
/// (859.5 M parameters in the UNet, 4.3 GB in all), unless it is there already. The pictures are
/// noise; shapes, work and memory are the real ones.
[[nodiscard]] Status make_bench_model(const std::filesystem::path& folder);

}  // namespace tessera
