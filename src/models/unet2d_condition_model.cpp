#include "models/unet2d_condition_model.h"

#include "models/resnet_block.h"
#include "models/transformer2d.h"

#include <cmath>
#include <string>

namespace tessera {
namespace {

/// Writes the network block by block; holds what all blocks share.
class UNetWriter {
  public:
    UNetWriter(const UNet2DConditionConfig& config, const Weights* weights, GraphDialect dialect)
        : config_(config), graph_("unet", dialect, weights) {}

    void write();
    Result<OnnxModel> finish() { return graph_.finish(); }
    [[nodiscard]] const std::vector<Parameter>& parameters() const { return graph_.parameters(); }

  private:
    [[nodiscard]] std::size_t levels() const { return config_.block_out_channels.size(); }
    [[nodiscard]] int channels(std::size_t level) const {
        return config_.block_out_channels[level];
    }

    void write_time_embedding(const Value& timestep);
    Value sinusoidal_embedding(const Value& timestep);
    Value resnet(
        const Value& x, const std::string& name, int in, int out, float output_scale = 1.0F
    );
    Value transformer(const Value& x, const std::string& name, std::size_t level);
    Value down_block(Value x, std::size_t level, int in);
    Value mid_block(Value x);
    Value up_block(Value x, std::size_t level, int previous);

    const UNet2DConditionConfig& config_;
    GraphBuilder graph_;
    Value context_;         ///< text tokens {batch * positions, channels}
    Value activated_time_;  ///< {batch, time_embedding_dim}
    std::vector<Value> skips_;
    std::vector<int> skip_channels_;
};

/// Vaswani et al. 2017, section 3.5, with diffusers' half-and-half layout.
Value UNetWriter::sinusoidal_embedding(const Value& timestep) {
    const int half = channels(0) / 2;
    const auto step =
        static_cast<float>(-std::log(10000.0) / (static_cast<double>(half) - config_.freq_shift));
    std::vector<float> frequencies(static_cast<std::size_t>(half));
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
        frequencies[i] = std::exp(static_cast<float>(i) * step);
    }
    const auto column = graph_.node("Reshape", {timestep, graph_.constant({-1, 1})});
    const auto angle = graph_.node("Mul", {column, graph_.constant({1, half}, frequencies)});
    const auto sine = graph_.node("Sin", {angle});
    const auto cosine = graph_.node("Cos", {angle});
    const auto& first = config_.flip_sin_to_cos ? cosine : sine;
    const auto& second = config_.flip_sin_to_cos ? sine : cosine;
    return graph_.node("Concat", {first, second}, {{"axis", std::int64_t{1}}});
}

void UNetWriter::write_time_embedding(const Value& timestep) {
    const int width = config_.time_embedding_dim;
    const auto waves = sinusoidal_embedding(timestep);
    const auto inner = activate(
        graph_, linear(graph_, waves, "time_embedding.linear_1", channels(0), width), config_.act_fn
    );
    auto time = linear(graph_, inner, "time_embedding.linear_2", width, width);
    if (config_.num_class_embeds > 0) {
        const auto labels = graph_.input("class_labels", ElementType::kInt64, {"batch"});
        const auto table =
            graph_.weight("class_embedding.weight", {config_.num_class_embeds, width});
        time = add(graph_, time, graph_.node("Gather", {table, labels}));
    }
    activated_time_ = activate(graph_, time, config_.act_fn);
}

Value UNetWriter::resnet(
    const Value& x, const std::string& name, int in, int out, float output_scale
) {
    return resnet_block(
        graph_,
        x,
        activated_time_,
        name,
        {in,
         out,
         config_.norm_num_groups,
         config_.norm_eps,
         config_.act_fn,
         output_scale,
         config_.time_embedding_dim}
    );
}

Value UNetWriter::transformer(const Value& x, const std::string& name, std::size_t level) {
    return transformer2d(
        graph_,
        x,
        context_,
        name,
        {channels(level),
         config_.num_heads[level],
         config_.transformer_layers_per_block[level],
         config_.cross_attention_dim[level],
         config_.norm_num_groups,
         config_.only_cross_attention[level]}
    );
}

Value UNetWriter::down_block(Value x, std::size_t level, int in) {
    const int out = channels(level);
    const std::string name = fmt::format("down_blocks.{}", level);
    const auto keep = [&] {
        skips_.push_back(x);
        skip_channels_.push_back(out);
    };
    for (int layer = 0; layer < config_.layers_per_block[level]; ++layer) {
        x = resnet(x, fmt::format("{}.resnets.{}", name, layer), layer == 0 ? in : out, out);
        if (config_.down_has_attention[level]) {
            x = transformer(x, fmt::format("{}.attentions.{}", name, layer), level);
        }
        keep();
    }
    if (level + 1 < levels()) {
        // Without padding of its own the convolution still needs one row and column more.
        const int near = config_.downsample_padding;
        x = conv2d(
            graph_, x, name + ".downsamplers.0.conv", {out, out, 3, 2, {near, near, 1, 1}, true}
        );
        keep();
    }
    return x;
}

Value UNetWriter::mid_block(Value x) {
    const std::size_t level = levels() - 1;
    const int width = channels(level);
    const float scale = config_.mid_block_scale_factor;
    x = resnet(x, "mid_block.resnets.0", width, width, scale);
    x = transformer(x, "mid_block.attentions.0", level);
    return resnet(x, "mid_block.resnets.1", width, width, scale);
}

Value UNetWriter::up_block(Value x, std::size_t level, int previous) {
    const std::size_t mirror = levels() - 1 - level;
    const int out = channels(mirror);
    const std::string name = fmt::format("up_blocks.{}", level);
    for (int layer = 0; layer < config_.layers_per_block[mirror] + 1; ++layer) {
        const auto skip = skips_.back();
        const int skip_channels = skip_channels_.back();
        skips_.pop_back();
        skip_channels_.pop_back();
        const auto joined = graph_.node("Concat", {x, skip}, {{"axis", std::int64_t{1}}});
        const int in = (layer == 0 ? previous : out) + skip_channels;
        x = resnet(joined, fmt::format("{}.resnets.{}", name, layer), in, out);
        if (config_.up_has_attention[level]) {
            x = transformer(x, fmt::format("{}.attentions.{}", name, layer), mirror);
        }
    }
    if (level + 1 < levels()) {
        const auto larger = crop_like(graph_, upsample_nearest(graph_, x), skips_.back());
        x = conv2d(graph_, larger, name + ".upsamplers.0.conv", same_conv(out, out));
    }
    return x;
}

void UNetWriter::write() {
    const std::vector<Dimension> in_shape{"batch", config_.in_channels, "height", "width"};
    const std::vector<Dimension> out_shape{"batch", config_.out_channels, "height", "width"};
    const int context_width = config_.cross_attention_dim.front();

    auto sample = graph_.input("sample", ElementType::kFloat, in_shape);
    const auto timestep = graph_.input("timestep", ElementType::kFloat, {"batch"});
    const auto text = graph_.input(
        "encoder_hidden_states", ElementType::kFloat, {"batch", "positions", context_width}
    );
    context_ = graph_.node("Reshape", {text, graph_.constant({-1, context_width})});
    write_time_embedding(timestep);

    if (config_.center_input_sample) {
        const auto doubled = graph_.node("Mul", {sample, graph_.scalar(2.0F)});
        sample = graph_.node("Sub", {doubled, graph_.scalar(1.0F)});
    }
    auto x = conv2d(
        graph_,
        sample,
        "conv_in",
        same_conv(config_.in_channels, channels(0), config_.conv_in_kernel)
    );
    skips_.push_back(x);
    skip_channels_.push_back(channels(0));
    for (std::size_t level = 0; level < levels(); ++level) {
        x = down_block(x, level, level == 0 ? channels(0) : channels(level - 1));
    }
    x = mid_block(x);
    int previous = channels(levels() - 1);
    for (std::size_t level = 0; level < levels(); ++level) {
        x = up_block(x, level, previous);
        previous = channels(levels() - 1 - level);
    }
    x = group_norm(
        graph_, x, "conv_norm_out", channels(0), config_.norm_num_groups, config_.norm_eps
    );
    x = activate(graph_, x, config_.act_fn);
    x = conv2d(
        graph_, x, "conv_out", same_conv(channels(0), config_.out_channels, config_.conv_out_kernel)
    );
    graph_.output("out_sample", x, ElementType::kFloat, out_shape);
}

}  // namespace

Result<OnnxModel> write_unet2d_condition_model(
    const UNet2DConditionConfig& config, const Weights& weights, GraphDialect dialect
) {
    UNetWriter writer(config, &weights, dialect);
    writer.write();
    return writer.finish();
}

std::vector<Parameter> unet2d_condition_parameters(const UNet2DConditionConfig& config) {
    UNetWriter writer(config, nullptr, GraphDialect::kOnnx);
    writer.write();
    return writer.parameters();
}

}  // namespace tessera
