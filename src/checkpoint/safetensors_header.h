#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "checkpoint/tensor_view.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tessera {

/// Limits of the format: the header's is the reference implementation's; it sets none for the rank.
inline constexpr std::uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;
inline constexpr std::size_t kMaxTensorRank = 32;

/// The name that the header gives to its free-form text; no tensor can have it.
inline constexpr std::string_view kSafetensorsMetadataKey = "__metadata__";

/// A safetensors file's header, checked against the bytes it describes.
struct SafetensorsHeader {
    ByteView json;
    /// In the order of their data; views into the bytes given.
    std::vector<NamedTensor> tensors;
    std::map<std::string, std::string> metadata;
};

/// Reads and checks the header of a whole file. Follows the reference implementation
/// (huggingface/safetensors, tensor.rs): tensors must fill the data exactly, without overlap or
/// hole; unknown fields of a tensor are ignored; shapes whose product overflows are refused even
/// where a later 0 makes them empty. Stricter than it: a duplicate name is refused, where it takes
/// the last, and `__metadata__` may not be null. kCorrupt, or kUnsupported for an unknown dtype.
[[nodiscard]] Result<SafetensorsHeader> read_safetensors_header(ByteView file);

}  // namespace tessera
