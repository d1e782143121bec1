#pragma once

#include "checkpoint/weights.h"
#include "models/layers.h"
#include "models/onnx_model.h"

#include <string_view>
#include <vector>

namespace tessera {

/// The options of an AutoencoderKL's config.json, in diffusers' words.
struct AutoencoderKlConfig {
    int in_channels;
    int out_channels;
    int latent_channels;
    std::vector<int> block_out_channels;
    int layers_per_block;
    Activation act_fn;
    int norm_num_groups;
    double scaling_factor;  ///< latents = (encoded - shift) * scale
    double shift_factor;
    bool use_quant_conv;
    bool use_post_quant_conv;
    bool mid_block_add_attention;

    [[nodiscard]] static Result<AutoencoderKlConfig> parse(std::string_view config_json);

    /// Pixels a latent covers in each direction.
    [[nodiscard]] int downscale() const { return 1 << (block_out_channels.size() - 1); }
};

/// Input `latents` {batch, latent_channels, height, width}, already divided by scaling_factor;
/// output `image` {batch, out_channels, downscale * height, downscale * width}, about -1..1.
[[nodiscard]] Result<OnnxModel> write_vae_decoder(
    const AutoencoderKlConfig& config, const Weights& weights, GraphDialect dialect
);

/// Input `image` {batch, in_channels, height, width} in -1..1, both multiples of downscale; outputs
/// `mean` and `logvar` {batch, latent_channels, height / downscale, width / downscale} of the
/// posterior, not yet multiplied by scaling_factor; logvar is clamped to -30..20.
[[nodiscard]] Result<OnnxModel> write_vae_encoder(
    const AutoencoderKlConfig& config, const Weights& weights, GraphDialect dialect
);

/// The tensors that decoder and encoder have.
[[nodiscard]] std::vector<Parameter> autoencoder_kl_parameters(const AutoencoderKlConfig& config);

}  // namespace tessera
