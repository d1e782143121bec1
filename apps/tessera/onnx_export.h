#pragma once

#include "base/result.h"
#include "tessera/locations.h"
#include "tessera/progress.h"

#include <filesystem>
#include <stop_token>
#include <vector>

namespace tessera::cli {

/// Writes the model's networks as ordinary ONNX files that run anywhere, with its tokenizer, its
/// noise schedule and a README beside them. Makes the folder; replaces files of those names, each
/// whole or not at all. Comes from the checkpoint alone, never from the engine cache. The files
/// written, in order.
[[nodiscard]] Result<std::vector<std::filesystem::path>> export_onnx(
    const Locations& locations,
    const std::filesystem::path& model,
    const std::filesystem::path& folder,
    Progress& progress,
    const std::stop_token& stop
);

}  // namespace tessera::cli
