#include "models/autoencoder_kl.h"

#include "models/config_reader.h"
#include "models/resnet_block.h"

#include <string>

namespace tessera {

Result<AutoencoderKlConfig> AutoencoderKlConfig::parse(std::string_view config_json) {
    constexpr int kMaxChannels = 1 << 14;
    ConfigReader reader(config_json);
    AutoencoderKlConfig config{};
    config.block_out_channels = reader.integer_list("block_out_channels", 1, kMaxChannels);
    for (const auto& [key, type] :
         {std::pair{"down_block_types", "DownEncoderBlock2D"},
          std::pair{"up_block_types", "UpDecoderBlock2D"}}) {
        const auto types = reader.texts(key);
        if (types != std::vector<std::string>(config.block_out_channels.size(), type)) {
            reader.fail_with(
                ErrorKind::kUnsupported,
                fmt::format("{} must be one \"{}\" for each of block_out_channels", key, type)
            );
        }
    }
    config.in_channels = reader.integer("in_channels", 3, 1, 64);
    config.out_channels = reader.integer("out_channels", 3, 1, 64);
    config.latent_channels = reader.integer("latent_channels", 4, 1, 256);
    config.layers_per_block = reader.integer("layers_per_block", 1, 1, 16);
    config.norm_num_groups = reader.integer("norm_num_groups", 32, 1, kMaxChannels);
    config.scaling_factor = reader.number("scaling_factor", 0.18215);
    config.shift_factor = reader.number("shift_factor", 0.0);
    config.use_quant_conv = reader.flag("use_quant_conv", true);
    config.use_post_quant_conv = reader.flag("use_post_quant_conv", true);
    config.mid_block_add_attention = reader.flag("mid_block_add_attention", true);
    reader.expect_absent("latents_mean");
    reader.expect_absent("latents_std");
    const auto activation = find_activation(reader.text("act_fn", "silu"));
    TESSERA_TRY(reader.status());
    TESSERA_ASSIGN(config.act_fn, activation);
    if (!(config.scaling_factor > 0.0)) {
        return fail(ErrorKind::kInvalidArgument, "scaling_factor must be positive");
    }
    for (const int channels : config.block_out_channels) {
        if (channels % config.norm_num_groups != 0) {
            return fail(
                ErrorKind::kInvalidArgument,
                "block_out_channels {} cannot be split into {} groups (norm_num_groups)",
                channels,
                config.norm_num_groups
            );
        }
    }
    return config;
}

namespace {

constexpr float kEpsilon = 1e-6F;

/// What the encoder and the decoder have in common.
class VaeWriter {
  public:
    VaeWriter(
        const char* name,
        const AutoencoderKlConfig& config,
        const Weights* weights,
        GraphDialect dialect
    )
        : config_(config), graph_(name, dialect, weights) {}

    void write_decoder();
    void write_encoder();
    Result<OnnxModel> finish() { return graph_.finish(); }
    [[nodiscard]] const std::vector<Parameter>& parameters() const { return graph_.parameters(); }

  private:
    [[nodiscard]] std::size_t levels() const { return config_.block_out_channels.size(); }
    [[nodiscard]] int channels(std::size_t level) const {
        return config_.block_out_channels[level];
    }

    Value resnet(const Value& x, const std::string& name, int in, int out);
    Value mid_attention(const Value& x, const std::string& name, int width);
    Value mid_block(Value x, const std::string& name);
    Value out_layers(Value x, const std::string& name, int width, int out);

    const AutoencoderKlConfig& config_;
    GraphBuilder graph_;
};

Value VaeWriter::resnet(const Value& x, const std::string& name, int in, int out) {
    return resnet_block(
        graph_, x, Value{}, name, {in, out, config_.norm_num_groups, kEpsilon, config_.act_fn}
    );
}

/// One head over all pixels. Published SD 1.x files use the names of before diffusers 0.18.
Value VaeWriter::mid_attention(const Value& x, const std::string& name, int width) {
    const bool has_old_names = graph_.has_weight(name + ".query.weight");
    const auto project = [&](const Value& tokens, const char* now, const char* before) {
        return pointwise(graph_, tokens, name + (has_old_names ? before : now), width, width);
    };
    const auto normal =
        group_norm(graph_, x, name + ".group_norm", width, config_.norm_num_groups, kEpsilon);
    const auto tokens = to_tokens(graph_, normal, width);
    const auto query = project(tokens, ".to_q", ".query");
    const auto key = project(tokens, ".to_k", ".key");
    const auto value = project(tokens, ".to_v", ".value");
    const auto attended =
        attention(graph_, query, key, value, batch_size(graph_, x), {width, /*heads=*/1});
    const auto projected = project(attended, ".to_out.0", ".proj_attn");
    return add(graph_, to_feature_map(graph_, projected, x, width), x);
}

Value VaeWriter::mid_block(Value x, const std::string& name) {
    const int width = channels(levels() - 1);
    x = resnet(x, name + ".resnets.0", width, width);
    if (config_.mid_block_add_attention) {
        x = mid_attention(x, name + ".attentions.0", width);
    }
    return resnet(x, name + ".resnets.1", width, width);
}

Value VaeWriter::out_layers(Value x, const std::string& name, int width, int out) {
    x = group_norm(graph_, x, name + ".conv_norm_out", width, config_.norm_num_groups, kEpsilon);
    return conv2d(
        graph_, activate(graph_, x, config_.act_fn), name + ".conv_out", same_conv(width, out)
    );
}

void VaeWriter::write_decoder() {
    const int latent = config_.latent_channels;
    auto x = graph_.input("latents", ElementType::kFloat, {"batch", latent, "height", "width"});
    if (config_.use_post_quant_conv) {
        x = conv2d(graph_, x, "post_quant_conv", same_conv(latent, latent, 1));
    }
    int width = channels(levels() - 1);
    x = conv2d(graph_, x, "decoder.conv_in", same_conv(latent, width));
    x = mid_block(x, "decoder.mid_block");
    for (std::size_t block = 0; block < levels(); ++block) {
        const std::string name = fmt::format("decoder.up_blocks.{}", block);
        const int out = channels(levels() - 1 - block);
        for (int layer = 0; layer < config_.layers_per_block + 1; ++layer) {
            x = resnet(x, fmt::format("{}.resnets.{}", name, layer), layer == 0 ? width : out, out);
        }
        if (block + 1 < levels()) {
            x = conv2d(
                graph_,
                upsample_nearest(graph_, x),
                name + ".upsamplers.0.conv",
                same_conv(out, out)
            );
        }
        width = out;
    }
    x = out_layers(x, "decoder", width, config_.out_channels);
    graph_.output(
        "image",
        x,
        ElementType::kFloat,
        {"batch", config_.out_channels, "image_height", "image_width"}
    );
}

void VaeWriter::write_encoder() {
    const int latent = config_.latent_channels;
    auto x = graph_.input(
        "image", ElementType::kFloat, {"batch", config_.in_channels, "image_height", "image_width"}
    );
    x = conv2d(graph_, x, "encoder.conv_in", same_conv(config_.in_channels, channels(0)));
    int width = channels(0);
    for (std::size_t block = 0; block < levels(); ++block) {
        const std::string name = fmt::format("encoder.down_blocks.{}", block);
        const int out = channels(block);
        for (int layer = 0; layer < config_.layers_per_block; ++layer) {
            x = resnet(x, fmt::format("{}.resnets.{}", name, layer), layer == 0 ? width : out, out);
        }
        if (block + 1 < levels()) {
            // The encoder pads only below and to the right.
            x = conv2d(
                graph_, x, name + ".downsamplers.0.conv", {out, out, 3, 2, {0, 0, 1, 1}, true}
            );
        }
        width = out;
    }
    x = mid_block(x, "encoder.mid_block");
    x = out_layers(x, "encoder", width, 2 * latent);
    if (config_.use_quant_conv) {
        x = conv2d(graph_, x, "quant_conv", same_conv(2 * latent, 2 * latent, 1));
    }
    const auto channel_axis = graph_.constant({1});
    const auto half = [&](std::int64_t first) {
        return graph_.node(
            "Slice", {x, graph_.constant({first}), graph_.constant({first + latent}), channel_axis}
        );
    };
    const std::vector<Dimension> shape{"batch", latent, "height", "width"};
    graph_.output("mean", half(0), ElementType::kFloat, shape);
    const auto clamped =
        graph_.node("Clip", {half(latent), graph_.scalar(-30.0F), graph_.scalar(20.0F)});
    graph_.output("logvar", clamped, ElementType::kFloat, shape);
}

}  // namespace

Result<OnnxModel> write_vae_decoder(
    const AutoencoderKlConfig& config, const Weights& weights, GraphDialect dialect
) {
    VaeWriter writer("vae_decoder", config, &weights, dialect);
    writer.write_decoder();
    return writer.finish();
}

Result<OnnxModel> write_vae_encoder(
    const AutoencoderKlConfig& config, const Weights& weights, GraphDialect dialect
) {
    VaeWriter writer("vae_encoder", config, &weights, dialect);
    writer.write_encoder();
    return writer.finish();
}

std::vector<Parameter> autoencoder_kl_parameters(const AutoencoderKlConfig& config) {
    VaeWriter writer("vae", config, nullptr, GraphDialect::kOnnx);
    writer.write_decoder();
    writer.write_encoder();
    return writer.parameters();
}

}  // namespace tessera
