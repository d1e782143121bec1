#pragma once

#include "base/result.h"
#include "models/onnx_model.h"

#include <filesystem>

namespace tessera {

/// Writes `<folder>/<model.name>.onnx` and its weights beside it as `<model.name>.onnx.data`:
/// ordinary ONNX external data, which any runtime reads. Both appear whole or not at all; existing
/// ones are replaced. kExhausted when the disk is full.
[[nodiscard]] Status write_onnx_file(const OnnxModel& model, const std::filesystem::path& folder);

}  // namespace tessera
