#include "upscaling/upscaler_network.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tessera {
namespace {

/// Files of PyTorch are archives of pickles, which run code when they are opened.
Status refuse_pickle(const std::filesystem::path& file) {
    constexpr std::array<std::string_view, 5> kSuffixes{".pth", ".pt", ".ckpt", ".bin", ".pkl"};
    const std::string suffix = file.extension().string();
    if (std::find(kSuffixes.begin(), kSuffixes.end(), suffix) == kSuffixes.end()) {
        return {};
    }
    return fail(
        ErrorKind::kUnsupported,
        "{} is a PyTorch pickle, which could run any code when it is opened; convert it to "
        ".safetensors first",
        file.string()
    );
}

/// What a file of weights is, by a piece of a tensor's name; the first that fits counts.
struct Telltale {
    std::string_view piece;
    const char* meaning;
};
constexpr std::array kTelltales{
    Telltale{"model.diffusion_model.", "a whole Stable Diffusion model in one file"},
    Telltale{"controlnet_cond_embedding.", "a ControlNet"},
    Telltale{"lora_", "a LoRA"},
    Telltale{".lora.", "a LoRA"},
    Telltale{"time_embedding.linear_1.", "the UNet of a diffusion model"},
    Telltale{"decoder.up_blocks.", "the autoencoder (VAE) of a diffusion model"},
    Telltale{"text_model.", "a text encoder"},
    Telltale{"emb_params", "a textual inversion embedding"},
    Telltale{"residual_group.", "an upscaler of the SwinIR family, which is not supported"},
};

/// "; it is a LoRA", or nothing.
std::string what_it_is(const Weights& weights) {
    const auto names = weights.names();
    for (const Telltale& telltale : kTelltales) {
        if (std::any_of(names.begin(), names.end(), [&](std::string_view name) {
                return name.find(telltale.piece) != std::string_view::npos;
            })) {
            return fmt::format("; it is {}", telltale.meaning);
        }
    }
    return "";
}

constexpr std::int64_t kFloatBytes = sizeof(float);

/// The engine's arena grows in powers of two, and what one picture took is kept for the next.
constexpr std::int64_t kSlack = 2;

std::int64_t bytes_per_pixel_of(const RrdbNetConfig& config) {
    const std::int64_t features = config.features;
    const std::int64_t folded = std::int64_t{config.unshuffle} * config.unshuffle;
    const std::int64_t enlarged = std::int64_t{config.scale()} * config.scale();
    // A dense block: all that it knows, that side by side, and what its surroundings wait for. At
    // the end: the input and the output of one convolution.
    const std::int64_t dense = 4 * (features + 4 * std::int64_t{config.growth}) / folded;
    const std::int64_t end = 2 * features * enlarged;
    return kSlack * kFloatBytes * (dense + end);
}

std::int64_t bytes_per_pixel_of(const SrvggNetCompactConfig& config) {
    const std::int64_t pixels = 3 * std::int64_t{config.scale} * config.scale;
    return kSlack * kFloatBytes * (4 * std::int64_t{config.features} + 3 * pixels);
}

}  // namespace

Result<UpscalerNetwork> UpscalerNetwork::open(const std::filesystem::path& file) {
    TESSERA_TRY(refuse_pickle(file));
    TESSERA_ASSIGN(const auto weights, Weights::open(file));
    const auto read = [&]() -> Result<Config> {
        if (RrdbNetConfig::recognises(weights)) {
            TESSERA_ASSIGN(auto config, RrdbNetConfig::read(weights));
            return config;
        }
        if (SrvggNetCompactConfig::recognises(weights)) {
            TESSERA_ASSIGN(auto config, SrvggNetCompactConfig::read(weights));
            return config;
        }
        return fail(
            ErrorKind::kUnsupported,
            "this is no upscaler that is known here (RRDBNet, SRVGGNetCompact){}",
            what_it_is(weights)
        );
    };
    auto config = read();
    if (!config) {
        return within(file.string(), std::move(config).error());
    }
    return UpscalerNetwork(weights, *std::move(config));
}

const char* UpscalerNetwork::architecture() const {
    return std::holds_alternative<RrdbNetConfig>(config_) ? "RRDBNet" : "SRVGGNetCompact";
}

int UpscalerNetwork::scale() const {
    const auto* const rrdb = std::get_if<RrdbNetConfig>(&config_);
    return rrdb != nullptr ? rrdb->scale() : std::get<SrvggNetCompactConfig>(config_).scale;
}

int UpscalerNetwork::multiple() const {
    const auto* const rrdb = std::get_if<RrdbNetConfig>(&config_);
    return rrdb != nullptr ? rrdb->unshuffle : 1;
}

UpscalerNetwork::Overlap UpscalerNetwork::overlap() const {
    // The theoretical reach of deep networks is hundreds of pixels, nearly all of the effect comes
    // from a few; what difference remains is faded over.
    constexpr int kEnough = 16;
    if (const auto* const rrdb = std::get_if<RrdbNetConfig>(&config_)) {
        return {kEnough * rrdb->unshuffle, kEnough * rrdb->unshuffle / 2};
    }
    const int exact = 2 * std::get<SrvggNetCompactConfig>(config_).reach();
    return exact <= 2 * kEnough ? Overlap{exact, 0} : Overlap{2 * kEnough, kEnough};
}

std::int64_t UpscalerNetwork::bytes_per_pixel() const {
    return std::visit([](const auto& config) { return bytes_per_pixel_of(config); }, config_);
}

Result<OnnxModel> UpscalerNetwork::write(GraphDialect dialect) const {
    if (const auto* const rrdb = std::get_if<RrdbNetConfig>(&config_)) {
        return write_rrdb_net(*rrdb, weights_, dialect);
    }
    return write_srvgg_net_compact(std::get<SrvggNetCompactConfig>(config_), weights_, dialect);
}

}  // namespace tessera
