#pragma once

#include "models/graph_builder.h"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace tessera {

/// Writes a file with these tensors: weights drawn so that values keep their size from layer to
/// layer, biases and slopes small.
void write_random_upscaler(
    const std::filesystem::path& file, const std::vector<Parameter>& parameters, std::uint32_t seed
);

}  // namespace tessera
