#pragma once

#include "base/result.h"
#include "inference/engine.h"
#include "models/autoencoder_kl.h"
#include "models/unet2d_condition_model.h"

#include <compare>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace tessera {

enum class OperationClass : std::uint8_t { kConv, kGemm, kAttention };

/// One heavy operation of a network at one size.
struct Operation {
    OperationClass kind;
    int batch;
    int in;      ///< channels; for attention, all heads together
    int out;     ///< channels; for attention, the number of heads
    int kernel;  ///< convolution only
    int stride;
    int height;  ///< convolution: of the input; else rows of the matrix, or queries
    int width;   ///< convolution: of the input; else 1, or keys

    auto operator<=>(const Operation&) const = default;

    [[nodiscard]] double flop() const;
};

/// Operations and how often the network runs each.
using OperationCounts = std::map<Operation, int>;

/// Those of the UNet on `batch` latents of that size, with 77 text tokens each.
[[nodiscard]] OperationCounts unet_operations(
    const UNet2DConditionConfig& config, int batch, int height, int width
);

/// Those of the VAE decoder on one latent of that size.
[[nodiscard]] OperationCounts vae_decoder_operations(
    const AutoencoderKlConfig& config, int height, int width
);

/// Seconds that ONNX Runtime's kernel for the operation takes at best, on its own, measured now.
/// For a convolution it is the difference between two side by side and one, so that moving data
/// into the kernel's layout and out of it, which a network does not do per convolution, is left
/// out.
[[nodiscard]] Result<double> measure_operation(
    const Operation& operation, Engine& engine, const std::filesystem::path& scratch
);

}  // namespace tessera
