#include "diffusion/model_info.h"

#include "base/file.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace tessera {
namespace {

constexpr std::uint64_t kMaxJsonBytes = std::uint64_t{1} << 20;

template <class Config>
Result<Config> read_config(
    const DiffusersFolder& folder, const char* component, std::string* json_text
) {
    TESSERA_ASSIGN(auto text, folder.component_config(component));
    auto config = Config::parse(text);
    if (!config) {
        return within(
            (folder.path() / component).string() + "'s configuration", std::move(config).error()
        );
    }
    if (json_text != nullptr) {
        *json_text = std::move(text);
    }
    return config;
}

std::string family_of(const UNet2DConditionConfig& unet) {
    constexpr int kSd1TextWidth = 768;
    constexpr int kSd2TextWidth = 1024;
    switch (unet.cross_attention_dim.front()) {
        case kSd1TextWidth:
            return "SD 1.x";
        case kSd2TextWidth:
            return "SD 2.x";
        default:
            return "SD-like";
    }
}

Status check_that_parts_fit(const ModelInfo& info) {
    if (info.unet.in_channels != info.vae.latent_channels ||
        info.unet.out_channels != info.vae.latent_channels) {
        return fail(
            ErrorKind::kUnsupported,
            "the UNet takes {} channels and gives {}, the autoencoder has {} (an inpainting or "
            "upscaling model?)",
            info.unet.in_channels,
            info.unet.out_channels,
            info.vae.latent_channels
        );
    }
    if (info.unet.num_class_embeds > 0) {
        return fail(ErrorKind::kUnsupported, "class-conditioned models cannot be rendered with");
    }
    const auto& widths = info.unet.cross_attention_dim;
    const auto fits = [&](int width) { return width == info.text_encoder.hidden_size; };
    if (!std::all_of(widths.begin(), widths.end(), fits)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the UNet expects text of width {}, the text encoder gives {}",
            widths.front(),
            info.text_encoder.hidden_size
        );
    }
    if (info.vae.in_channels != 3 || info.vae.out_channels != 3) {
        return fail(ErrorKind::kUnsupported, "the autoencoder is not one of RGB pictures");
    }
    return {};
}

std::string precision_name(DType dtype) {
    switch (dtype) {
        case DType::kF32:
            return "fp32";
        case DType::kF16:
            return "fp16";
        case DType::kBF16:
            return "bf16";
        default:
            return std::string(name_of(dtype));
    }
}

/// tessera.json is optional, and so is each of its fields; a wrong one is an error, not ignored.
Status read_recommendations(const std::filesystem::path& path, ModelInfo& info) {
    const auto text = read_file(path, kMaxJsonBytes);
    if (!text) {
        return text.error().kind == ErrorKind::kNotFound ? Status() : tl::unexpected(text.error());
    }
    try {
        const auto json = nlohmann::json::parse(*text);
        info.title = json.value("title", info.title);
        info.native_width = json.value("native_width", info.native_width);
        info.native_height = json.value("native_height", info.native_height);
        info.example_prompts = json.value("example_prompts", info.example_prompts);
        const auto recommended = json.value("recommended", nlohmann::json::object());
        info.recommended.sampler = recommended.value("sampler", info.recommended.sampler);
        info.recommended.steps = recommended.value("steps", info.recommended.steps);
        info.recommended.guidance_scale = recommended.value("cfg", info.recommended.guidance_scale);
    } catch (const nlohmann::json::exception& error) {
        return fail(ErrorKind::kCorrupt, "{}: {}", path.string(), error.what());
    }
    return {};
}

}  // namespace

Result<ModelInfo> ModelInfo::read(const DiffusersFolder& folder) {
    if (folder.class_name() != "StableDiffusionPipeline") {
        return fail(
            ErrorKind::kUnsupported,
            "{} is a {}; StableDiffusionPipeline (SD 1.x and 2.x) can be rendered with so far",
            folder.path().string(),
            folder.class_name().empty() ? "pipeline of no name" : folder.class_name()
        );
    }
    ModelInfo info{};
    TESSERA_ASSIGN(
        info.text_encoder,
        read_config<ClipTextConfig>(folder, "text_encoder", &info.text_encoder_json)
    );
    TESSERA_ASSIGN(info.unet, read_config<UNet2DConditionConfig>(folder, "unet", &info.unet_json));
    TESSERA_ASSIGN(info.vae, read_config<AutoencoderKlConfig>(folder, "vae", &info.vae_json));
    TESSERA_ASSIGN(info.scheduler, read_config<SchedulerConfig>(folder, "scheduler", nullptr));
    if (auto status = check_that_parts_fit(info); !status) {
        return within(folder.path().string(), std::move(status).error());
    }
    const auto path = std::filesystem::absolute(folder.path()).lexically_normal();
    info.name = (path.has_filename() ? path : path.parent_path()).filename().string();
    info.title = info.name;
    info.family = family_of(info.unet);
    info.native_width = info.unet.sample_size * info.vae.downscale();
    info.native_height = info.native_width;
    info.recommended = {"DPM++ 2M Karras", 20, 7.0};
    TESSERA_TRY(read_recommendations(folder.path() / "tessera.json", info));
    return info;
}

Result<WeightsInfo> WeightsInfo::read(const DiffusersFolder& folder) {
    WeightsInfo info{};
    for (const char* component : {"text_encoder", "unet", "vae"}) {
        TESSERA_ASSIGN(const auto weights, folder.weights(component));
        info.bytes += weights.total_bytes();
        if (component == std::string_view("unet")) {
            const auto* tensor = weights.find("conv_in.weight");
            info.precision = tensor == nullptr ? "unknown" : precision_name(tensor->dtype);
        }
    }
    return info;
}

}  // namespace tessera
