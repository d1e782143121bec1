#pragma once

#include "models/layers.h"

#include <string>

namespace tessera {

/// Self-attention, cross-attention to the text and a gated feed-forward, `depth` times, on the
/// pixels of a feature map as tokens: diffusers' Transformer2DModel with BasicTransformerBlock.
struct Transformer2d {
    int channels = 0;
    int heads = 1;
    int depth = 1;
    int context_channels = 0;  ///< width of the text's hidden states
    int groups = 1;
    bool only_cross_attention = false;  ///< the first attention, too, looks at the text
};

/// `context` is the text as tokens {batch * positions, context_channels}. The projections in and
/// out may be stored as linear layers or as 1x1 convolutions.
Value transformer2d(
    GraphBuilder& graph,
    const Value& x,
    const Value& context,
    const std::string& name,
    const Transformer2d& shape
);

}  // namespace tessera
