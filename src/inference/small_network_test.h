#pragma once

#include "inference/engine.h"
#include "models/onnx_model.h"

#include <cstdint>
#include <string>

namespace tessera {

/// The size of a network that is made like a small UNet.
struct SmallNetwork {
    std::int64_t channels = 32;
    int blocks = 1;
    std::uint32_t seed = 1;  ///< of the weights
};

/// Convolution, group normalisation (by InstanceNormalization), time embedding, self- and
/// cross-attention (MultiHeadAttention), feed-forward. Inputs "sample" {batch, 4, height, width},
/// "time" {batch, 64}, "context" {batch, length, 48}; output "result", of sample's shape. Batch,
/// height, width and length are free.
[[nodiscard]] OnnxModel small_network(const SmallNetwork& size);

/// As a source for Engine::load, with a content key that tells sizes and seeds apart.
[[nodiscard]] ModelSource small_source(const SmallNetwork& size);

/// A network that never ends by itself: input "x" {n}, output "y" {n}.
[[nodiscard]] OnnxModel endless_network();

/// One node of the given operator between "x" {n} and "y" {n}.
[[nodiscard]] OnnxModel single_operator(const std::string& domain, const std::string& name);

/// A row's values depend on `row` alone, so that batches can be put together in any way.
[[nodiscard]] Tensor random_rows(Shape shape, std::uint32_t first_row);

}  // namespace tessera
