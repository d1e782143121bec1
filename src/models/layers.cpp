#include "models/layers.h"

#include <cmath>

namespace tessera {
namespace {

bool for_ort(const GraphBuilder& graph) {
    return graph.dialect() == GraphDialect::kOrtCpu;
}

/// gelu(x) = x/2 (1 + erf(x / sqrt 2)): the exact form, not the tanh approximation.
Value exact_gelu(GraphBuilder& graph, const Value& x) {
    if (for_ort(graph)) {
        return graph.node("com.microsoft::Gelu", {x});
    }
    const auto scaled = graph.node("Mul", {x, graph.scalar(static_cast<float>(std::sqrt(0.5)))});
    const auto bent = graph.node("Add", {graph.node("Erf", {scaled}), graph.scalar(1.0F)});
    return graph.node("Mul", {graph.node("Mul", {x, bent}), graph.scalar(0.5F)});
}

/// x * sigmoid(alpha x): SiLU for alpha 1, OpenAI's quick gelu for alpha 1.702.
Value swish(GraphBuilder& graph, const Value& x, float alpha) {
    if (for_ort(graph)) {
        return graph.node("com.microsoft::QuickGelu", {x}, {{"alpha", alpha}});
    }
    const auto inner = alpha == 1.0F ? x : graph.node("Mul", {x, graph.scalar(alpha)});
    return graph.node("Mul", {x, graph.node("Sigmoid", {inner})});
}

Value shape_with_batch(
    GraphBuilder& graph, const Value& batch, const std::vector<std::int64_t>& rest
) {
    return graph.node("Concat", {batch, graph.constant(rest)}, {{"axis", std::int64_t{0}}});
}

/// Sequence positions that each query may not see, as a term of the scores.
Value causal_mask(GraphBuilder& graph, int length) {
    const auto size = static_cast<std::size_t>(length);
    std::vector<float> mask(size * size, 0.0F);
    for (std::size_t query = 0; query < size; ++query) {
        for (std::size_t key = query + 1; key < size; ++key) {
            mask[query * size + key] = -3.0e38F;
        }
    }
    return graph.constant({length, length}, mask);
}

}  // namespace

Result<Activation> find_activation(std::string_view name) {
    if (name == "silu" || name == "swish") {
        return Activation::kSilu;
    }
    if (name == "gelu") {
        return Activation::kGelu;
    }
    if (name == "quick_gelu") {
        return Activation::kQuickGelu;
    }
    if (name == "mish") {
        return Activation::kMish;
    }
    if (name == "relu") {
        return Activation::kRelu;
    }
    return fail(ErrorKind::kUnsupported, "the activation \"{}\" is not supported", name);
}

Value activate(GraphBuilder& graph, const Value& x, Activation activation) {
    switch (activation) {
        case Activation::kSilu:
            return swish(graph, x, 1.0F);
        case Activation::kQuickGelu:
            return swish(graph, x, 1.702F);
        case Activation::kGelu:
            return exact_gelu(graph, x);
        case Activation::kMish:
            return graph.node("Mul", {x, graph.node("Tanh", {graph.node("Softplus", {x})})});
        case Activation::kRelu:
            return graph.node("Relu", {x});
    }
    return x;
}

Value add(GraphBuilder& graph, const Value& a, const Value& b) {
    return graph.node("Add", {a, b});
}

Conv2d same_conv(int in_channels, int out_channels, int kernel) {
    const int around = kernel / 2;
    return {in_channels, out_channels, kernel, 1, {around, around, around, around}, true};
}

Value conv2d(GraphBuilder& graph, const Value& x, const std::string& name, const Conv2d& shape) {
    std::vector<Value> inputs{
        x,
        graph.weight(
            name + ".weight", {shape.out_channels, shape.in_channels, shape.kernel, shape.kernel}
        ),
    };
    if (shape.bias) {
        inputs.push_back(graph.weight(name + ".bias", {shape.out_channels}));
    }
    const std::vector<std::int64_t> kernel(2, shape.kernel);
    const std::vector<std::int64_t> strides(2, shape.stride);
    const std::vector<std::int64_t> pads(shape.padding.begin(), shape.padding.end());
    return graph.node(
        "Conv", inputs, {{"kernel_shape", kernel}, {"strides", strides}, {"pads", pads}}
    );
}

Value linear(
    GraphBuilder& graph, const Value& x, const std::string& name, int in, int out, bool bias
) {
    std::vector<Value> inputs{x, graph.weight(name + ".weight", {out, in})};
    if (bias) {
        inputs.push_back(graph.weight(name + ".bias", {out}));
    }
    return graph.node("Gemm", inputs, {{"transB", std::int64_t{1}}});
}

Value pointwise(
    GraphBuilder& graph, const Value& tokens, const std::string& name, int in, int out
) {
    const bool is_conv = graph.weight_rank(name + ".weight") == 4;
    const Shape stored = is_conv ? Shape{out, in, 1, 1} : Shape{out, in};
    const auto weight = graph.weight_as(name + ".weight", stored, {out, in});
    const auto bias = graph.weight(name + ".bias", {out});
    return graph.node("Gemm", {tokens, weight, bias}, {{"transB", std::int64_t{1}}});
}

Value group_norm(
    GraphBuilder& graph,
    const Value& x,
    const std::string& name,
    int channels,
    int groups,
    float epsilon
) {
    // One group is one "instance" once its channels are laid end to end.
    const auto grouped = graph.node("Reshape", {x, graph.constant({0, groups, -1})});
    const std::vector<float> ones(static_cast<std::size_t>(groups), 1.0F);
    const std::vector<float> zeros(static_cast<std::size_t>(groups), 0.0F);
    const auto normal = graph.node(
        "InstanceNormalization",
        {grouped, graph.constant({groups}, ones), graph.constant({groups}, zeros)},
        {{"epsilon", epsilon}}
    );
    const auto restored = graph.node("Reshape", {normal, graph.node("Shape", {x})});
    const auto scale = graph.weight_as(name + ".weight", {channels}, {channels, 1, 1});
    const auto shift = graph.weight_as(name + ".bias", {channels}, {channels, 1, 1});
    return add(graph, graph.node("Mul", {restored, scale}), shift);
}

Value layer_norm(
    GraphBuilder& graph, const Value& x, const std::string& name, int channels, float epsilon
) {
    const auto scale = graph.weight(name + ".weight", {channels});
    const auto shift = graph.weight(name + ".bias", {channels});
    return graph.node(
        "LayerNormalization", {x, scale, shift}, {{"axis", std::int64_t{-1}}, {"epsilon", epsilon}}
    );
}

Value batch_size(GraphBuilder& graph, const Value& x) {
    return graph.node("Shape", {x}, {{"start", std::int64_t{0}}, {"end", std::int64_t{1}}});
}

Value to_tokens(GraphBuilder& graph, const Value& x, int channels) {
    const std::vector<std::int64_t> channels_last{0, 2, 3, 1};
    const auto moved = graph.node("Transpose", {x}, {{"perm", channels_last}});
    return graph.node("Reshape", {moved, graph.constant({-1, channels})});
}

Value to_feature_map(GraphBuilder& graph, const Value& tokens, const Value& like, int channels) {
    const auto size =
        graph.node("Shape", {like}, {{"start", std::int64_t{2}}, {"end", std::int64_t{4}}});
    const auto shape = graph.node(
        "Concat",
        {batch_size(graph, like), size, graph.constant({channels})},
        {{"axis", std::int64_t{0}}}
    );
    const std::vector<std::int64_t> channels_first{0, 3, 1, 2};
    return graph.node(
        "Transpose", {graph.node("Reshape", {tokens, shape})}, {{"perm", channels_first}}
    );
}

Value attention(
    GraphBuilder& graph,
    const Value& query,
    const Value& key,
    const Value& value,
    const Value& batch,
    const Attention& shape
) {
    const auto flat = graph.constant({-1, shape.channels});
    if (for_ort(graph)) {
        const auto sequences = shape_with_batch(graph, batch, {-1, shape.channels});
        const auto split = [&](const Value& tokens) {
            return graph.node("Reshape", {tokens, sequences});
        };
        const auto attended = graph.node(
            "com.microsoft::MultiHeadAttention",
            {split(query), split(key), split(value)},
            {{"num_heads", std::int64_t{shape.heads}},
             {"unidirectional", std::int64_t{shape.causal ? 1 : 0}}}
        );
        return graph.node("Reshape", {attended, flat});
    }

    const int head_size = shape.channels / shape.heads;
    const auto heads_shape = shape_with_batch(graph, batch, {-1, shape.heads, head_size});
    const auto heads_of = [&](const Value& tokens, std::vector<std::int64_t> order) {
        const auto split = graph.node("Reshape", {tokens, heads_shape});
        return graph.node("Transpose", {split}, {{"perm", std::move(order)}});
    };
    const auto scale = graph.scalar(1.0F / std::sqrt(static_cast<float>(head_size)));
    const auto scaled_query = graph.node("Mul", {heads_of(query, {0, 2, 1, 3}), scale});
    auto scores = graph.node("MatMul", {scaled_query, heads_of(key, {0, 2, 3, 1})});
    if (shape.causal) {
        scores = add(graph, scores, causal_mask(graph, shape.causal_length));
    }
    const auto weights = graph.node("Softmax", {scores}, {{"axis", std::int64_t{-1}}});
    const auto attended = graph.node("MatMul", {weights, heads_of(value, {0, 2, 1, 3})});
    const std::vector<std::int64_t> tokens_first{0, 2, 1, 3};
    return graph.node(
        "Reshape", {graph.node("Transpose", {attended}, {{"perm", tokens_first}}), flat}
    );
}

Value upsample_nearest(GraphBuilder& graph, const Value& x) {
    const auto scales = graph.constant({4}, {1.0F, 1.0F, 2.0F, 2.0F});
    return graph.node(
        "Resize",
        {x, Value{}, scales},
        {{"mode", std::string("nearest")},
         {"coordinate_transformation_mode", std::string("asymmetric")},
         {"nearest_mode", std::string("floor")}}
    );
}

Value crop_like(GraphBuilder& graph, const Value& x, const Value& like) {
    const auto size =
        graph.node("Shape", {like}, {{"start", std::int64_t{2}}, {"end", std::int64_t{4}}});
    return graph.node("Slice", {x, graph.constant({0, 0}), size, graph.constant({2, 3})});
}

}  // namespace tessera
