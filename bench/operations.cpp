#include "operations.h"

#include "checkpoint/safetensors_writer.h"
#include "models/layers.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <vector>

namespace tessera {
namespace {

constexpr int kTextTokens = 77;

/// Collects operations while walking an architecture.
class Collector {
  public:
    explicit Collector(int batch) : batch_(batch) {}

    void conv(int in, int out, int kernel, int stride, int height, int width) {
        ++counts_[{OperationClass::kConv, batch_, in, out, kernel, stride, height, width}];
    }
    void gemm(int rows, int in, int out) {
        ++counts_[{OperationClass::kGemm, 1, in, out, 1, 1, rows, 1}];
    }
    void attention(int channels, int heads, int queries, int keys) {
        ++counts_[{OperationClass::kAttention, batch_, channels, heads, 1, 1, queries, keys}];
    }
    void resnet(int in, int out, int height, int width) {
        conv(in, out, 3, 1, height, width);
        conv(out, out, 3, 1, height, width);
        if (in != out) {
            conv(in, out, 1, 1, height, width);
        }
    }
    void transformer(int channels, int heads, int depth, int context, int height, int width) {
        const int rows = batch_ * height * width;
        gemm(rows, channels, channels);
        gemm(rows, channels, channels);
        for (int layer = 0; layer < depth; ++layer) {
            for (int projection = 0; projection < 6; ++projection) {
                gemm(rows, channels, channels);
            }
            attention(channels, heads, height * width, height * width);
            gemm(batch_ * kTextTokens, context, channels);
            gemm(batch_ * kTextTokens, context, channels);
            attention(channels, heads, height * width, kTextTokens);
            gemm(rows, channels, 4 * channels);
            gemm(rows, channels, 4 * channels);
            gemm(rows, 4 * channels, channels);
        }
    }
    [[nodiscard]] const OperationCounts& counts() const { return counts_; }

  private:
    int batch_;
    OperationCounts counts_;
};

int half_up(int size) {
    return (size + 1) / 2;
}

std::vector<float> ramp(std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = static_cast<float>(i % 251) * 0.0004F - 0.05F;
    }
    return values;
}

/// A file with the weights "a.weight", "a.bias", "b.weight" and "b.bias".
Result<Weights> write_weights(const std::filesystem::path& path, const Shape& shape) {
    const auto values = ramp(element_count(shape));
    const auto bytes = std::as_bytes(std::span(values));
    const Shape bias_shape{shape.front()};
    const auto bias = bytes.first(element_count(bias_shape) * sizeof(float));
    const std::vector<NamedTensor> tensors{
        {"a.weight", {DType::kF32, shape, bytes}},
        {"a.bias", {DType::kF32, bias_shape, bias}},
        {"b.weight", {DType::kF32, shape, bytes}},
        {"b.bias", {DType::kF32, bias_shape, bias}}};
    TESSERA_ASSIGN(const auto encoded, encode_safetensors(tensors));
    std::ofstream(path, std::ios::binary) << as_text(encoded);
    return Weights::open(path);
}

/// The shortest of several runs, the first not counted.
Result<double> best_seconds(const Network& network, const std::vector<Input>& inputs) {
    constexpr int kRuns = 3;
    double best = INFINITY;
    for (int run = 0; run <= kRuns; ++run) {
        const auto start = std::chrono::steady_clock::now();
        TESSERA_TRY(network.run(inputs));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        if (run > 0) {
            best = std::min(best, took.count());
        }
    }
    return best;
}

const std::vector<Dimension> kFeatureMap{"batch", "channels", "height", "width"};
const std::vector<Dimension> kMatrix{"rows", "columns"};

Result<double> measure_conv(
    const Operation& operation, Engine& engine, const std::filesystem::path& scratch
) {
    const Shape shape{operation.out, operation.in, operation.kernel, operation.kernel};
    TESSERA_ASSIGN(const auto weights, write_weights(scratch, shape));
    const Tensor x(
        {operation.batch, operation.in, operation.height, operation.width},
        ramp(element_count({operation.batch, operation.in, operation.height, operation.width}))
    );
    double seconds[2] = {};
    for (int convolutions = 1; convolutions <= 2; ++convolutions) {
        const auto build = [&]() -> Result<OnnxModel> {
            GraphBuilder graph("conv", GraphDialect::kOrtCpu, &weights);
            auto in_shape = kFeatureMap;
            in_shape[1] = operation.in;
            const auto input = graph.input("x", ElementType::kFloat, in_shape);
            auto conv = same_conv(operation.in, operation.out, operation.kernel);
            conv.stride = operation.stride;
            auto sum = conv2d(graph, input, "a", conv);
            if (convolutions == 2) {
                sum = add(graph, sum, conv2d(graph, input, "b", conv));
            }
            graph.output("y", sum, ElementType::kFloat, kFeatureMap);
            return graph.finish();
        };
        TESSERA_ASSIGN(const auto network, engine.load({"conv", "", build}));
        TESSERA_ASSIGN(seconds[convolutions - 1], best_seconds(*network, {{"x", x}}));
    }
    return seconds[1] - seconds[0];
}

Result<double> measure_gemm(
    const Operation& operation, Engine& engine, const std::filesystem::path& scratch
) {
    TESSERA_ASSIGN(const auto weights, write_weights(scratch, {operation.out, operation.in}));
    const Tensor x(
        {operation.height, operation.in}, ramp(element_count({operation.height, operation.in}))
    );
    const auto build = [&]() -> Result<OnnxModel> {
        GraphBuilder graph("gemm", GraphDialect::kOrtCpu, &weights);
        const auto input = graph.input("x", ElementType::kFloat, {"rows", operation.in});
        const auto y = linear(graph, input, "a", operation.in, operation.out);
        graph.output("y", y, ElementType::kFloat, kMatrix);
        return graph.finish();
    };
    TESSERA_ASSIGN(const auto network, engine.load({"gemm", "", build}));
    return best_seconds(*network, {{"x", x}});
}

Result<double> measure_attention(
    const Operation& operation, Engine& engine, const std::filesystem::path& scratch
) {
    TESSERA_ASSIGN(const auto weights, write_weights(scratch, {1, 1}));
    const int channels = operation.in;
    const Shape queries{operation.batch * operation.height, channels};
    const Shape keys{operation.batch * operation.width, channels};
    const Tensor query(queries, ramp(element_count(queries)));
    const Tensor key(keys, ramp(element_count(keys)));
    const auto build = [&]() -> Result<OnnxModel> {
        GraphBuilder graph("attention", GraphDialect::kOrtCpu, &weights);
        const std::vector<Dimension> tokens{"rows", channels};
        const std::vector<Dimension> source{"source_rows", channels};
        const auto q = graph.input("q", ElementType::kFloat, tokens);
        const auto k = graph.input("k", ElementType::kFloat, source);
        const auto v = graph.input("v", ElementType::kFloat, source);
        const auto batch = graph.constant(std::vector<std::int64_t>{operation.batch});
        const auto y = attention(graph, q, k, v, batch, {channels, operation.out});
        graph.output("y", y, ElementType::kFloat, kMatrix);
        return graph.finish();
    };
    TESSERA_ASSIGN(const auto network, engine.load({"attention", "", build}));
    return best_seconds(*network, {{"q", query}, {"k", key}, {"v", key}});
}

}  // namespace

double Operation::flop() const {
    const double product = 2.0 * batch * in;
    switch (kind) {
        case OperationClass::kConv:
            return product * out * kernel * kernel * height * width / (stride * stride);
        case OperationClass::kGemm:
            return product * out * height;
        case OperationClass::kAttention:
            return 2.0 * product * height * width;
    }
    return 0.0;
}

OperationCounts unet_operations(
    const UNet2DConditionConfig& config, int batch, int height, int width
) {
    Collector collector(batch);
    const auto& channels = config.block_out_channels;
    const auto levels = channels.size();
    const int time = config.time_embedding_dim;
    collector.gemm(batch, channels[0], time);
    collector.gemm(batch, time, time);
    const auto resnet = [&](int in, int out, int h, int w) {
        collector.resnet(in, out, h, w);
        collector.gemm(batch, time, out);
    };
    const auto transformer = [&](std::size_t level, int h, int w) {
        collector.transformer(
            channels[level],
            config.num_heads[level],
            config.transformer_layers_per_block[level],
            config.cross_attention_dim[level],
            h,
            w
        );
    };

    std::vector<std::pair<int, int>> sizes{{height, width}};
    std::vector<int> skips{channels[0]};
    collector.conv(config.in_channels, channels[0], config.conv_in_kernel, 1, height, width);
    int current = channels[0];
    for (std::size_t level = 0; level < levels; ++level) {
        const auto [h, w] = sizes.back();
        for (int layer = 0; layer < config.layers_per_block[level]; ++layer) {
            resnet(current, channels[level], h, w);
            current = channels[level];
            if (config.down_has_attention[level]) {
                transformer(level, h, w);
            }
            skips.push_back(current);
        }
        if (level + 1 < levels) {
            collector.conv(current, current, 3, 2, h, w);
            sizes.emplace_back(half_up(h), half_up(w));
            skips.push_back(current);
        }
    }
    resnet(current, current, sizes.back().first, sizes.back().second);
    transformer(levels - 1, sizes.back().first, sizes.back().second);
    resnet(current, current, sizes.back().first, sizes.back().second);
    for (std::size_t block = 0; block < levels; ++block) {
        const std::size_t level = levels - 1 - block;
        const auto [h, w] = sizes[level];
        for (int layer = 0; layer < config.layers_per_block[level] + 1; ++layer) {
            resnet(current + skips.back(), channels[level], h, w);
            skips.pop_back();
            current = channels[level];
            if (config.up_has_attention[block]) {
                transformer(level, h, w);
            }
        }
        if (level > 0) {
            collector.conv(current, current, 3, 1, sizes[level - 1].first, sizes[level - 1].second);
        }
    }
    collector.conv(current, config.out_channels, config.conv_out_kernel, 1, height, width);
    return collector.counts();
}

OperationCounts vae_decoder_operations(const AutoencoderKlConfig& config, int height, int width) {
    Collector collector(1);
    const auto& channels = config.block_out_channels;
    int current = channels.back();
    collector.conv(config.latent_channels, config.latent_channels, 1, 1, height, width);
    collector.conv(config.latent_channels, current, 3, 1, height, width);
    collector.resnet(current, current, height, width);
    for (int projection = 0; projection < 4; ++projection) {
        collector.gemm(height * width, current, current);
    }
    collector.attention(current, 1, height * width, height * width);
    collector.resnet(current, current, height, width);
    for (std::size_t level = channels.size(); level-- > 0;) {
        for (int layer = 0; layer < config.layers_per_block + 1; ++layer) {
            collector.resnet(current, channels[level], height, width);
            current = channels[level];
        }
        if (level > 0) {
            height *= 2;
            width *= 2;
            collector.conv(current, current, 3, 1, height, width);
        }
    }
    collector.conv(current, config.out_channels, 3, 1, height, width);
    return collector.counts();
}

Result<double> measure_operation(
    const Operation& operation, Engine& engine, const std::filesystem::path& scratch
) {
    switch (operation.kind) {
        case OperationClass::kConv:
            return measure_conv(operation, engine, scratch);
        case OperationClass::kGemm:
            return measure_gemm(operation, engine, scratch);
        case OperationClass::kAttention:
            return measure_attention(operation, engine, scratch);
    }
    return 0.0;
}

}  // namespace tessera
