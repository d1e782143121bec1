#include "models/rrdb_net.h"

#include "models/layers.h"
#include "models/upscaler_tensors.h"

#include <array>

namespace tessera {
namespace {

using Names = RrdbNetConfig::Names;

constexpr int kDenseBlocks = 3;  // in each residual block
constexpr int kDenseConvs = 5;   // in each dense block
constexpr int kMostBlocks = 256;
constexpr int kMostDoublings = 3;
constexpr float kSlope = 0.2F;          // of the leaky ReLUs
constexpr float kResidualScale = 0.2F;  // of what a block adds to its input

/// The tensors' names without prefix and ".weight".
class LayerNames {
  public:
    explicit LayerNames(Names names) : names_(names) {}

    [[nodiscard]] std::string first() const {
        return names_ == Names::kSequential ? "model.0" : "conv_first";
    }
    [[nodiscard]] std::string dense(int block, int dense_block, int conv) const {
        switch (names_) {
            case Names::kBasicSr:
                return fmt::format("body.{}.rdb{}.conv{}", block, dense_block, conv);
            case Names::kEsrgan:
                return fmt::format("RRDB_trunk.{}.RDB{}.conv{}", block, dense_block, conv);
            case Names::kSequential:
                break;
        }
        return fmt::format("model.1.sub.{}.RDB{}.conv{}.0", block, dense_block, conv);
    }
    [[nodiscard]] std::string body(int blocks) const {
        switch (names_) {
            case Names::kBasicSr:
                return "conv_body";
            case Names::kEsrgan:
                return "trunk_conv";
            case Names::kSequential:
                break;
        }
        return fmt::format("model.1.sub.{}", blocks);
    }
    /// `number` counts from 1. The old names number modules: a doubling, its convolution and its
    /// activation are three.
    [[nodiscard]] std::string up(int number) const {
        switch (names_) {
            case Names::kBasicSr:
                return fmt::format("conv_up{}", number);
            case Names::kEsrgan:
                return fmt::format("upconv{}", number);
            case Names::kSequential:
                break;
        }
        return fmt::format("model.{}", 3 * number);
    }
    [[nodiscard]] std::string high_resolution(int doublings) const {
        switch (names_) {
            case Names::kBasicSr:
                return "conv_hr";
            case Names::kEsrgan:
                return "HRconv";
            case Names::kSequential:
                break;
        }
        return fmt::format("model.{}", 3 * doublings + 2);
    }
    [[nodiscard]] std::string last(int doublings) const {
        return names_ == Names::kSequential ? fmt::format("model.{}", 3 * doublings + 4)
                                            : "conv_last";
    }

  private:
    Names names_;
};

constexpr std::array kAllNames{Names::kBasicSr, Names::kEsrgan, Names::kSequential};

std::string weight_of(const std::string& layer) {
    return layer + ".weight";
}

int count_blocks(const UpscalerTensors& tensors, const LayerNames& names) {
    int blocks = 0;
    while (blocks < kMostBlocks && tensors.has(weight_of(names.dense(blocks, 1, 1)))) {
        ++blocks;
    }
    return blocks;
}

int count_doublings(const UpscalerTensors& tensors, const LayerNames& names, Names kind) {
    int doublings = 0;
    if (kind == Names::kSequential) {
        while (doublings < kMostDoublings && !tensors.has(weight_of(names.last(doublings)))) {
            ++doublings;
        }
        return doublings;
    }
    while (doublings < kMostDoublings && tensors.has(weight_of(names.up(doublings + 1)))) {
        ++doublings;
    }
    return doublings;
}

/// How large the squares are that make `channels` of RGB; 0: it is not RGB.
int unshuffle_of(int channels) {
    for (const int side : {1, 2, 4}) {
        if (channels == 3 * side * side) {
            return side;
        }
    }
    return 0;
}

class RrdbWriter {
  public:
    RrdbWriter(const RrdbNetConfig& config, const Weights* weights, GraphDialect dialect)
        : config_(config), names_(config.names), graph_("upscaler", dialect, weights) {}

    void write();
    Result<OnnxModel> finish() { return graph_.finish(); }
    [[nodiscard]] const std::vector<Parameter>& parameters() const { return graph_.parameters(); }

  private:
    [[nodiscard]] bool for_ort() const { return graph_.dialect() == GraphDialect::kOrtCpu; }

    Value conv(const Value& x, const std::string& layer, int in, int out) {
        return conv2d(graph_, x, config_.prefix + layer, same_conv(in, out));
    }
    Value leaky(const Value& x) { return graph_.node("LeakyRelu", {x}, {{"alpha", kSlope}}); }
    Value unshuffle(const Value& image);
    Value scaled_conv(const Value& x, const std::string& layer, int in, int out);
    Value add_scaled(const Value& x, const Value& change);
    Value dense_block(const Value& x, int block, int number);
    Value residual_block(const Value& x, int block);

    const RrdbNetConfig& config_;
    LayerNames names_;
    GraphBuilder graph_;
};

/// Squares of pixels into channels, in PyTorch's order: those of one colour side by side. ONNX has
/// only the other order, colours side by side.
Value RrdbWriter::unshuffle(const Value& image) {
    const int side = config_.unshuffle;
    if (side == 1) {
        return image;
    }
    const auto folded =
        graph_.node("SpaceToDepth", {image}, {{"blocksize", static_cast<std::int64_t>(side)}});
    std::vector<std::int64_t> order;
    for (int colour = 0; colour < 3; ++colour) {
        for (int pixel = 0; pixel < side * side; ++pixel) {
            order.push_back(pixel * 3 + colour);
        }
    }
    return graph_.node("Gather", {folded, graph_.constant(order)}, {{"axis", std::int64_t{1}}});
}

/// A convolution times kResidualScale. Scaled weights are folded when ONNX Runtime prepares the
/// network, and the sum that follows becomes part of its convolution.
Value RrdbWriter::scaled_conv(const Value& x, const std::string& layer, int in, int out) {
    const auto scale = graph_.scalar(kResidualScale);
    if (!for_ort()) {
        return graph_.node("Mul", {conv(x, layer, in, out), scale});
    }
    const std::string name = config_.prefix + layer;
    const auto weight =
        graph_.node("Mul", {graph_.weight(name + ".weight", {out, in, 3, 3}), scale});
    const auto bias = graph_.node("Mul", {graph_.weight(name + ".bias", {out}), scale});
    const std::vector<std::int64_t> kernel{3, 3};
    const std::vector<std::int64_t> pads{1, 1, 1, 1};
    return graph_.node("Conv", {x, weight, bias}, {{"kernel_shape", kernel}, {"pads", pads}});
}

/// x + kResidualScale * change. A depth-wise convolution, unlike a product, keeps to the blocked
/// layout of ONNX Runtime's convolutions and takes the sum in.
Value RrdbWriter::add_scaled(const Value& x, const Value& change) {
    if (!for_ort()) {
        return add(graph_, graph_.node("Mul", {change, graph_.scalar(kResidualScale)}), x);
    }
    const auto channels = static_cast<std::size_t>(config_.features);
    const auto weight =
        graph_.constant({config_.features, 1, 1, 1}, std::vector<float>(channels, kResidualScale));
    const auto scaled = graph_.node(
        "Conv",
        {change, weight},
        {{"kernel_shape", std::vector<std::int64_t>{1, 1}},
         {"group", static_cast<std::int64_t>(config_.features)}}
    );
    return add(graph_, scaled, x);
}

Value RrdbWriter::dense_block(const Value& x, int block, int number) {
    std::vector<Value> known{x};
    int width = config_.features;
    for (int index = 1; index < kDenseConvs; ++index) {
        const auto all =
            known.size() == 1 ? x : graph_.node("Concat", known, {{"axis", std::int64_t{1}}});
        known.push_back(leaky(conv(all, names_.dense(block, number, index), width, config_.growth))
        );
        width += config_.growth;
    }
    const auto all = graph_.node("Concat", known, {{"axis", std::int64_t{1}}});
    const auto change =
        scaled_conv(all, names_.dense(block, number, kDenseConvs), width, config_.features);
    return add(graph_, change, x);
}

Value RrdbWriter::residual_block(const Value& x, int block) {
    Value change = x;
    for (int number = 1; number <= kDenseBlocks; ++number) {
        change = dense_block(change, block, number);
    }
    return add_scaled(x, change);
}

void RrdbWriter::write() {
    const int features = config_.features;
    const auto image = graph_.input("image", ElementType::kFloat, {"batch", 3, "height", "width"});
    const int in_channels = 3 * config_.unshuffle * config_.unshuffle;
    const auto first = conv(unshuffle(image), names_.first(), in_channels, features);
    Value x = first;
    for (int block = 0; block < config_.blocks; ++block) {
        x = residual_block(x, block);
    }
    x = add(graph_, conv(x, names_.body(config_.blocks), features, features), first);
    for (int number = 1; number <= config_.doublings; ++number) {
        x = leaky(conv(upsample_nearest(graph_, x), names_.up(number), features, features));
    }
    x = leaky(conv(x, names_.high_resolution(config_.doublings), features, features));
    x = conv(x, names_.last(config_.doublings), features, 3);
    graph_.output(
        "upscaled", x, ElementType::kFloat, {"batch", 3, "upscaled_height", "upscaled_width"}
    );
}

}  // namespace

bool RrdbNetConfig::recognises(const Weights& weights) {
    const UpscalerTensors tensors(weights);
    for (const Names names : kAllNames) {
        if (tensors.has(weight_of(LayerNames(names).dense(0, 1, 1)))) {
            return true;
        }
    }
    return false;
}

Result<RrdbNetConfig> RrdbNetConfig::read(const Weights& weights) {
    const UpscalerTensors tensors(weights);
    RrdbNetConfig config;
    config.prefix = tensors.prefix();
    for (const Names candidate : kAllNames) {
        if (tensors.has(weight_of(LayerNames(candidate).dense(0, 1, 1)))) {
            config.names = candidate;
            break;
        }
    }
    const LayerNames names(config.names);
    TESSERA_ASSIGN(const auto first, tensors.conv_channels(names.first()));
    TESSERA_ASSIGN(const auto dense, tensors.conv_channels(names.dense(0, 1, 1)));
    config.features = first.out;
    config.growth = dense.out;
    config.blocks = count_blocks(tensors, names);
    config.doublings = count_doublings(tensors, names, config.names);
    TESSERA_ASSIGN(const auto last, tensors.conv_channels(names.last(config.doublings)));
    config.unshuffle = unshuffle_of(first.in);
    if (config.unshuffle == 0 || last.out != 3) {
        return fail(
            ErrorKind::kUnsupported,
            "it turns {} channels into {}; only networks for RGB pictures are supported",
            first.in,
            last.out
        );
    }
    if (config.unshuffle > 1 << config.doublings) {
        return fail(ErrorKind::kUnsupported, "it makes pictures smaller, not larger");
    }
    TESSERA_TRY(tensors.check_complete("an RRDBNet", rrdb_net_parameters(config)));
    return config;
}

Result<OnnxModel> write_rrdb_net(
    const RrdbNetConfig& config, const Weights& weights, GraphDialect dialect
) {
    RrdbWriter writer(config, &weights, dialect);
    writer.write();
    return writer.finish();
}

std::vector<Parameter> rrdb_net_parameters(const RrdbNetConfig& config) {
    RrdbWriter writer(config, nullptr, GraphDialect::kOnnx);
    writer.write();
    return writer.parameters();
}

}  // namespace tessera
