#include "models/srvgg_net_compact.h"

#include "models/layers.h"
#include "models/upscaler_tensors.h"

namespace tessera {
namespace {

constexpr int kMostConvs = 256;
constexpr int kMostScale = 8;
constexpr float kSlope = 0.1F;  // where none is learned

/// Convolutions stand at even places, activations at odd ones.
std::string layer(int place) {
    return fmt::format("body.{}", place);
}

class SrvggWriter {
  public:
    SrvggWriter(const SrvggNetCompactConfig& config, const Weights* weights, GraphDialect dialect)
        : config_(config), graph_("upscaler", dialect, weights) {}

    void write();
    Result<OnnxModel> finish() { return graph_.finish(); }
    [[nodiscard]] const std::vector<Parameter>& parameters() const { return graph_.parameters(); }

  private:
    Value conv(const Value& x, int place, int in, int out) {
        return conv2d(graph_, x, config_.prefix + layer(place), same_conv(in, out));
    }
    Value activate(const Value& x, int place);
    Value enlarge(const Value& x);

    const SrvggNetCompactConfig& config_;
    GraphBuilder graph_;
};

Value SrvggWriter::activate(const Value& x, int place) {
    if (!config_.prelu) {
        return graph_.node("LeakyRelu", {x}, {{"alpha", kSlope}});
    }
    const std::string name = config_.prefix + layer(place) + ".weight";
    const int features = config_.features;
    return graph_.node("PRelu", {x, graph_.weight_as(name, {features}, {features, 1, 1})});
}

Value SrvggWriter::enlarge(const Value& x) {
    const auto scale = static_cast<float>(config_.scale);
    return graph_.node(
        "Resize",
        {x, Value{}, graph_.constant({4}, {1.0F, 1.0F, scale, scale})},
        {{"mode", std::string("nearest")},
         {"coordinate_transformation_mode", std::string("asymmetric")},
         {"nearest_mode", std::string("floor")}}
    );
}

void SrvggWriter::write() {
    const auto image = graph_.input("image", ElementType::kFloat, {"batch", 3, "height", "width"});
    Value x = image;
    int width = 3;
    for (int index = 0; index <= config_.convs; ++index) {
        x = activate(conv(x, 2 * index, width, config_.features), 2 * index + 1);
        width = config_.features;
    }
    const int scale = config_.scale;
    x = conv(x, 2 * (config_.convs + 1), width, 3 * scale * scale);
    if (scale == 1) {
        x = add(graph_, x, image);
    } else {
        const auto pixels = graph_.node(
            "DepthToSpace",
            {x},
            {{"blocksize", static_cast<std::int64_t>(scale)}, {"mode", std::string("CRD")}}
        );
        x = add(graph_, pixels, enlarge(image));
    }
    graph_.output(
        "upscaled", x, ElementType::kFloat, {"batch", 3, "upscaled_height", "upscaled_width"}
    );
}

/// 0 when that many channels are not the pixels of an RGB square.
int scale_of(int channels) {
    for (int scale = 1; scale <= kMostScale; ++scale) {
        if (channels == 3 * scale * scale) {
            return scale;
        }
    }
    return 0;
}

}  // namespace

bool SrvggNetCompactConfig::recognises(const Weights& weights) {
    const UpscalerTensors tensors(weights);
    return tensors.conv_channels(layer(0)) && tensors.conv_channels(layer(2));
}

Result<SrvggNetCompactConfig> SrvggNetCompactConfig::read(const Weights& weights) {
    const UpscalerTensors tensors(weights);
    SrvggNetCompactConfig config;
    config.prefix = tensors.prefix();
    int last_place = 0;
    while (last_place / 2 <= kMostConvs && tensors.has(layer(last_place + 2) + ".weight")) {
        last_place += 2;
    }
    TESSERA_ASSIGN(const auto first, tensors.conv_channels(layer(0)));
    TESSERA_ASSIGN(const auto last, tensors.conv_channels(layer(last_place)));
    config.features = first.out;
    config.convs = last_place / 2 - 1;
    config.prelu = tensors.has(layer(1) + ".weight");
    config.scale = scale_of(last.out);
    if (first.in != 3 || config.scale == 0 || config.convs < 0) {
        return fail(
            ErrorKind::kUnsupported,
            "it turns {} channels into {}; only networks for RGB pictures that enlarge up to {} "
            "times are supported",
            first.in,
            last.out,
            kMostScale
        );
    }
    TESSERA_TRY(tensors.check_complete("an SRVGGNetCompact", srvgg_net_compact_parameters(config)));
    return config;
}

Result<OnnxModel> write_srvgg_net_compact(
    const SrvggNetCompactConfig& config, const Weights& weights, GraphDialect dialect
) {
    SrvggWriter writer(config, &weights, dialect);
    writer.write();
    return writer.finish();
}

std::vector<Parameter> srvgg_net_compact_parameters(const SrvggNetCompactConfig& config) {
    SrvggWriter writer(config, nullptr, GraphDialect::kOnnx);
    writer.write();
    return writer.parameters();
}

}  // namespace tessera
