#pragma once

#include "base/tensor.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tessera {

/// Raised whenever the graphs written for one configuration change. Part of every engine
/// fingerprint, so that caches made by another writer are never loaded.
inline constexpr int kGraphWriterVersion = 2;

/// Which operators a graph may use.
enum class GraphDialect : std::uint8_t {
    kOnnx,    ///< standard operators only (opset 17): what `export-onnx` writes, runs anywhere
    kOrtCpu,  ///< also ONNX Runtime's own operators that its CPU provider runs faster
};

/// One large initializer of an OnnxModel, little-endian fp32, row-major.
struct OnnxWeight {
    std::string name;
    Shape shape;
    std::span<const float> values;
};

/// A network as ONNX: the serialised ModelProto, whose large initializers are external, and where
/// their bytes lie in memory.
struct OnnxModel {
    std::string name;   ///< "unet", "vae_decoder", ...: for messages
    std::string proto;  ///< initializers listed in `weights` have the external location "weights"
    std::vector<OnnxWeight> weights;    ///< valid as long as `owner` lives
    std::shared_ptr<const void> owner;  ///< checkpoint mappings and widened copies
};

}  // namespace tessera
