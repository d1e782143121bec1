#pragma once

#include "base/result.h"
#include "checkpoint/diffusers_folder.h"
#include "diffusion/scheduler_config.h"
#include "models/autoencoder_kl.h"
#include "models/clip_text_model.h"
#include "models/unet2d_condition_model.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tessera {

/// What a model's maker recommends, from its tessera.json; families have defaults for the rest.
struct RecommendedSettings {
    std::string sampler;
    int steps;
    double guidance_scale;
};

/// All that a model's configuration files say, without its weights.
struct ModelInfo {
    std::string name;    ///< the folder's name
    std::string title;   ///< from tessera.json; else the name
    std::string family;  ///< "SD 1.x", "SD 2.x" or "SD-like"
    int native_width;    ///< pixels the model was trained at
    int native_height;
    std::vector<std::string> example_prompts;
    RecommendedSettings recommended;

    ClipTextConfig text_encoder;
    UNet2DConditionConfig unet;
    AutoencoderKlConfig vae;
    SchedulerConfig scheduler;
    /// The configurations' JSON texts, for cache keys.
    std::string text_encoder_json;
    std::string unet_json;
    std::string vae_json;

    /// Reads and checks them. Errors name the file; kUnsupported where this program cannot render
    /// with the model (another pipeline, an option of another family).
    [[nodiscard]] static Result<ModelInfo> read(const DiffusersFolder& folder);
};

/// What is known of a model's weights by their headers alone.
struct WeightsInfo {
    std::string precision;  ///< of the UNet as stored: "fp16"
    std::uint64_t bytes;    ///< of all networks

    [[nodiscard]] static Result<WeightsInfo> read(const DiffusersFolder& folder);
};

}  // namespace tessera
