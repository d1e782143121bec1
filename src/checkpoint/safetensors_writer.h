#pragma once

#include "base/result.h"
#include "checkpoint/tensor_view.h"

#include <filesystem>
#include <map>
#include <span>
#include <string>

namespace tessera {

/// Writes a safetensors file atomically and durably, straight from the views. Equal input gives
/// equal bytes whatever its order: like the reference implementation it lays out wide types first,
/// then by name, so that every tensor is aligned to its own element. kInvalidArgument for names
/// that are doubled, reserved or not UTF-8, and for views whose bytes do not fit their shape.
[[nodiscard]] Status write_safetensors(
    const std::filesystem::path& path,
    std::span<const NamedTensor> tensors,
    const std::map<std::string, std::string>& metadata = {}
);

/// The same bytes, in memory.
[[nodiscard]] Result<Bytes> encode_safetensors(
    std::span<const NamedTensor> tensors, const std::map<std::string, std::string>& metadata = {}
);

}  // namespace tessera
