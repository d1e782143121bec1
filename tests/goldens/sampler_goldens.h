#pragma once

#include "goldens/golden.h"

#include <filesystem>
#include <vector>

namespace tessera {

// Each of these runs every case of a folder built like the reference folder of that name, whatever
// its seeds, steps, shapes and runs are. One row per tensor, or one per run of a sampler that is
// not built. A folder that cannot be read gives a single failed row.

/// diffusers' schedulers: timesteps, sigmas, start and every step's latents.
[[nodiscard]] std::vector<GoldenRow> check_schedulers(const std::filesystem::path& folder);

/// k-diffusion's samplers with A1111's image-to-image, on Stable Diffusion's noise schedule.
[[nodiscard]] std::vector<GoldenRow> check_kdiffusion(const std::filesystem::path& folder);

/// torch.randn of the CPU and the CUDA generator.
[[nodiscard]] std::vector<GoldenRow> check_rng(const std::filesystem::path& folder);

}  // namespace tessera
