#pragma once

#include "models/graph_builder.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tessera {

/// The layers that the networks are made of, in PyTorch's words and weight layouts. `name` is the
/// checkpoint's prefix: a layer "conv_in" has the tensors "conv_in.weight" and "conv_in.bias".
///
/// Pictures and feature maps are {batch, channels, height, width}. Tokens are kept as a matrix
/// {batch * tokens, channels}: so every linear layer is one matrix product, whatever the batch.

enum class Activation : std::uint8_t { kSilu, kGelu, kQuickGelu, kMish, kRelu };

/// kUnsupported for names that no supported model uses.
[[nodiscard]] Result<Activation> find_activation(std::string_view name);

Value activate(GraphBuilder& graph, const Value& x, Activation activation);

Value add(GraphBuilder& graph, const Value& a, const Value& b);

struct Conv2d {
    int in_channels = 0;
    int out_channels = 0;
    int kernel = 3;
    int stride = 1;
    std::array<int, 4> padding{};  ///< top, left, bottom, right
    bool bias = true;
};

/// Square kernel, stride 1, output as large as the input.
[[nodiscard]] Conv2d same_conv(int in_channels, int out_channels, int kernel = 3);

Value conv2d(GraphBuilder& graph, const Value& x, const std::string& name, const Conv2d& shape);

/// {rows, in} -> {rows, out}.
Value linear(
    GraphBuilder& graph, const Value& x, const std::string& name, int in, int out, bool bias = true
);

/// A 1x1 convolution's weights, or a linear layer's, applied to tokens.
Value pointwise(GraphBuilder& graph, const Value& tokens, const std::string& name, int in, int out);

Value group_norm(
    GraphBuilder& graph,
    const Value& x,
    const std::string& name,
    int channels,
    int groups,
    float epsilon
);
Value layer_norm(
    GraphBuilder& graph, const Value& x, const std::string& name, int channels, float epsilon
);

/// The size of the outermost dimension as a one-element int64 tensor.
Value batch_size(GraphBuilder& graph, const Value& x);

/// {batch, channels, height, width} -> {batch * height * width, channels}, and back into the
/// height and width of `like`.
Value to_tokens(GraphBuilder& graph, const Value& x, int channels);
Value to_feature_map(GraphBuilder& graph, const Value& tokens, const Value& like, int channels);

/// Scaled dot-product attention. Query, key and value are token matrices of `channels` columns,
/// which are split into `heads`; `batch` says how many sequences the rows hold. With `causal`, a
/// token sees only itself and earlier ones, and the sequence length must be `causal_length`.
struct Attention {
    int channels = 0;
    int heads = 0;
    bool causal = false;
    int causal_length = 0;
};
Value attention(
    GraphBuilder& graph,
    const Value& query,
    const Value& key,
    const Value& value,
    const Value& batch,
    const Attention& shape
);

/// Nearest neighbour, twice as high and wide; with `like`, cut to its height and width (a feature
/// map of odd size was rounded up on its way down).
Value upsample_nearest(GraphBuilder& graph, const Value& x);
Value crop_like(GraphBuilder& graph, const Value& x, const Value& like);

}  // namespace tessera
