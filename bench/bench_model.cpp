#include "bench_model.h"

#include "base/file.h"
#include "checkpoint/safetensors_writer.h"
#include "models/autoencoder_kl.h"
#include "models/clip_text_model.h"
#include "models/unet2d_condition_model.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace tessera {
namespace {

constexpr const char* kModelIndex = R"({
  "_class_name": "StableDiffusionPipeline",
  "scheduler": ["diffusers", "DDIMScheduler"],
  "text_encoder": ["transformers", "CLIPTextModel"],
  "unet": ["diffusers", "UNet2DConditionModel"],
  "vae": ["diffusers", "AutoencoderKL"]
})";
constexpr const char* kScheduler = R"({
  "_class_name": "DDIMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear",
  "beta_start": 0.00085, "clip_sample": false, "num_train_timesteps": 1000,
  "prediction_type": "epsilon", "set_alpha_to_one": false, "steps_offset": 1
})";
constexpr const char* kTextEncoder = R"({
  "hidden_act": "quick_gelu", "hidden_size": 768, "intermediate_size": 3072,
  "layer_norm_eps": 1e-05, "max_position_embeddings": 77, "num_attention_heads": 12,
  "num_hidden_layers": 12, "vocab_size": 49408, "eos_token_id": 2
})";
constexpr const char* kUnet = R"({
  "act_fn": "silu", "attention_head_dim": 8, "block_out_channels": [320, 640, 1280, 1280],
  "cross_attention_dim": 768, "in_channels": 4, "layers_per_block": 2, "norm_num_groups": 32,
  "out_channels": 4, "sample_size": 64,
  "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
                       "DownBlock2D"],
  "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
                     "CrossAttnUpBlock2D"]
})";
constexpr const char* kVae = R"({
  "act_fn": "silu", "block_out_channels": [128, 256, 512, 512], "in_channels": 3,
  "latent_channels": 4, "layers_per_block": 2, "norm_num_groups": 32, "out_channels": 3,
  "scaling_factor": 0.18215,
  "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D",
                       "DownEncoderBlock2D"],
  "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D",
                     "UpDecoderBlock2D"]
})";

/// Uniform values with the spread that PyTorch's layers start with, near enough for magnitudes to
/// stay sane through the network.
std::vector<float> random_values(std::size_t count) {
    std::vector<float> values(count);
    std::uint32_t state = 1;
    for (float& value : values) {
        state = state * 1664525U + 1013904223U;
        value = (static_cast<float>(state >> 8U) / 16777216.0F - 0.5F) * 0.04F;
    }
    return values;
}

/// Every tensor is a window on the same random values, so that writing takes little memory.
Status write_random_weights(
    const std::filesystem::path& path, const std::vector<Parameter>& parameters
) {
    std::size_t largest = 0;
    for (const auto& parameter : parameters) {
        largest = std::max(largest, element_count(parameter.shape));
    }
    const auto values = random_values(largest);
    std::vector<NamedTensor> tensors;
    for (const auto& parameter : parameters) {
        const auto window = std::span(values).first(element_count(parameter.shape));
        tensors.push_back({parameter.name, {DType::kF32, parameter.shape, std::as_bytes(window)}});
    }
    return write_safetensors(path, tensors);
}

Status write_component(
    const std::filesystem::path& folder,
    const char* config,
    const char* weights_name,
    const std::vector<Parameter>& parameters
) {
    std::filesystem::create_directories(folder);
    TESSERA_TRY(write_file_atomically(folder / "config.json", as_bytes(config)));
    return write_random_weights(folder / weights_name, parameters);
}

}  // namespace

Status make_bench_model(const std::filesystem::path& folder) {
    if (std::filesystem::exists(folder / "model_index.json")) {
        return {};
    }
    TESSERA_ASSIGN(const auto text_encoder, ClipTextConfig::parse(kTextEncoder));
    TESSERA_ASSIGN(const auto unet, UNet2DConditionConfig::parse(kUnet));
    TESSERA_ASSIGN(const auto vae, AutoencoderKlConfig::parse(kVae));
    TESSERA_TRY(write_component(
        folder / "text_encoder",
        kTextEncoder,
        "model.safetensors",
        clip_text_parameters(text_encoder)
    ));
    constexpr const char* kDiffusersName = "diffusion_pytorch_model.safetensors";
    TESSERA_TRY(
        write_component(folder / "unet", kUnet, kDiffusersName, unet2d_condition_parameters(unet))
    );
    TESSERA_TRY(
        write_component(folder / "vae", kVae, kDiffusersName, autoencoder_kl_parameters(vae))
    );
    std::filesystem::create_directories(folder / "scheduler");
    TESSERA_TRY(
        write_file_atomically(folder / "scheduler" / "scheduler_config.json", as_bytes(kScheduler))
    );
    return write_file_atomically(folder / "model_index.json", as_bytes(kModelIndex));
}

}  // namespace tessera
