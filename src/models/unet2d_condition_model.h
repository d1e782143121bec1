#pragma once

#include "checkpoint/weights.h"
#include "models/layers.h"
#include "models/onnx_model.h"

#include <string_view>
#include <vector>

namespace tessera {

/// The options of a UNet2DConditionModel's config.json, in diffusers' words: those that the Stable
/// Diffusion 1.x and 2.x families use (the x4 upscaler's included). Lists have one entry a level.
struct UNet2DConditionConfig {
    int in_channels;
    int out_channels;
    int sample_size;  ///< latent size the model was trained at
    bool center_input_sample;
    bool flip_sin_to_cos;
    double freq_shift;
    std::vector<bool> down_has_attention;
    std::vector<bool> up_has_attention;
    std::vector<bool> only_cross_attention;
    std::vector<int> block_out_channels;
    std::vector<int> layers_per_block;
    int downsample_padding;
    float mid_block_scale_factor;
    Activation act_fn;
    int norm_num_groups;
    float norm_eps;
    std::vector<int> cross_attention_dim;
    std::vector<int> transformer_layers_per_block;
    std::vector<int> num_heads;
    int time_embedding_dim;
    int num_class_embeds;  ///< 0: none
    int conv_in_kernel;
    int conv_out_kernel;

    /// kUnsupported names the option that no graph can be written for yet.
    [[nodiscard]] static Result<UNet2DConditionConfig> parse(std::string_view config_json);
};

/// Writes the denoising network.
///
/// Inputs: `sample` {batch, in_channels, height, width} of any size, `timestep` {batch} float (may
/// be fractional), `encoder_hidden_states` {batch, positions, cross_attention_dim} and, with
/// num_class_embeds, `class_labels` {batch} int64. Output: `out_sample` {batch, out_channels,
/// height, width}. Source: Ronneberger et al. 2015 and Rombach et al. 2022, as in diffusers.
[[nodiscard]] Result<OnnxModel> write_unet2d_condition_model(
    const UNet2DConditionConfig& config, const Weights& weights, GraphDialect dialect
);

/// The tensors that it has.
[[nodiscard]] std::vector<Parameter> unet2d_condition_parameters(const UNet2DConditionConfig& config
);

}  // namespace tessera
