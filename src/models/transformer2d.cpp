#include "models/transformer2d.h"

namespace tessera {
namespace {

constexpr float kGroupNormEpsilon = 1e-6F;
constexpr float kLayerNormEpsilon = 1e-5F;

Value attention_layer(
    GraphBuilder& graph,
    const Value& x,
    const Value& source,
    int source_channels,
    const Value& batch,
    const std::string& name,
    const Transformer2d& shape
) {
    const int width = shape.channels;
    const auto query = linear(graph, x, name + ".to_q", width, width, /*bias=*/false);
    const auto key = linear(graph, source, name + ".to_k", source_channels, width, /*bias=*/false);
    const auto value =
        linear(graph, source, name + ".to_v", source_channels, width, /*bias=*/false);
    const auto attended = attention(graph, query, key, value, batch, {width, shape.heads});
    return linear(graph, attended, name + ".to_out.0", width, width);
}

/// GEGLU (Shazeer 2020, arXiv:2002.05202): the layer's first half times gelu of its second. The two
/// halves are two products, so that no large result must be split.
Value feed_forward(GraphBuilder& graph, const Value& x, const std::string& name, int width) {
    const int inner = 4 * width;
    const auto half = [&](int first) {
        const auto weight =
            graph.weight_rows(name + ".net.0.proj.weight", {2 * inner, width}, first, inner);
        const auto bias = graph.weight_rows(name + ".net.0.proj.bias", {2 * inner}, first, inner);
        return graph.node("Gemm", {x, weight, bias}, {{"transB", std::int64_t{1}}});
    };
    const auto gate = activate(graph, half(inner), Activation::kGelu);
    const auto gated = graph.node("Mul", {half(0), gate});
    return linear(graph, gated, name + ".net.2", inner, width);
}

}  // namespace

Value transformer2d(
    GraphBuilder& graph,
    const Value& x,
    const Value& context,
    const std::string& name,
    const Transformer2d& shape
) {
    const int width = shape.channels;
    const auto batch = batch_size(graph, x);
    const auto normal =
        group_norm(graph, x, name + ".norm", width, shape.groups, kGroupNormEpsilon);
    auto tokens =
        pointwise(graph, to_tokens(graph, normal, width), name + ".proj_in", width, width);
    for (int layer = 0; layer < shape.depth; ++layer) {
        const std::string block = fmt::format("{}.transformer_blocks.{}", name, layer);
        const auto normalised = [&](const char* norm) {
            return layer_norm(graph, tokens, block + norm, width, kLayerNormEpsilon);
        };
        const auto first = normalised(".norm1");
        tokens = add(
            graph,
            tokens,
            shape.only_cross_attention
                ? attention_layer(
                      graph, first, context, shape.context_channels, batch, block + ".attn1", shape
                  )
                : attention_layer(graph, first, first, width, batch, block + ".attn1", shape)
        );
        tokens =
            add(graph,
                tokens,
                attention_layer(
                    graph,
                    normalised(".norm2"),
                    context,
                    shape.context_channels,
                    batch,
                    block + ".attn2",
                    shape
                ));
        tokens =
            add(graph, tokens, feed_forward(graph, normalised(".norm3"), block + ".ff", width));
    }
    const auto projected = pointwise(graph, tokens, name + ".proj_out", width, width);
    return add(graph, to_feature_map(graph, projected, x, width), x);
}

}  // namespace tessera
