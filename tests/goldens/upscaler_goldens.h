#pragma once

#include "goldens/network_goldens.h"

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace tessera {

/// A case of upscaling networks: files `<network>.safetensors`, of which the case's tensors have
/// `<network>.input` and `<network>.output`. A network whose name goes on after that of a
/// reference, as "rrdb_x4_old_names" after "rrdb_x4", must give the same.
[[nodiscard]] std::vector<GoldenRow> check_upscalers(
    const std::string& name,
    const std::filesystem::path& folder,
    const std::set<std::filesystem::path>& files,
    const GoldenEngine& engine
);

}  // namespace tessera
