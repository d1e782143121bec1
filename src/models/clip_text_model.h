#pragma once

#include "checkpoint/weights.h"
#include "models/layers.h"
#include "models/onnx_model.h"

#include <string>
#include <string_view>

namespace tessera {

/// The options of a CLIPTextModel's config.json, in transformers' words.
struct ClipTextConfig {
    int vocab_size;
    int hidden_size;
    int intermediate_size;
    int num_hidden_layers;
    int num_attention_heads;
    int max_position_embeddings;
    float layer_norm_eps;
    Activation hidden_act;
    int eos_token_id;

    [[nodiscard]] static Result<ClipTextConfig> parse(std::string_view config_json);
};

/// How the network is used.
struct ClipTextUse {
    /// Counts from 1 as in A1111: 1 runs every layer, 2 leaves out the last, and so on.
    int clip_skip = 1;
    /// Whether tokens can be given as vectors in place of ids (textual inversion).
    bool takes_vectors = false;
};

/// Writes the text encoder.
///
/// Input `input_ids` {batch, max_position_embeddings} int64. Where `takes_vectors`, two more:
/// `id_shares` {batch, positions, 1}, 1 where the id counts and 0 where the vector does, and
/// `vectors` {batch, positions, hidden_size}, 0 where the id counts. Outputs: `last_hidden_state`
/// {batch, positions, hidden_size}, after the final layer norm; `pooled_output` {batch,
/// hidden_size}, its row at the end token; `hidden_states.N` for N from 0 (the embeddings) to the
/// number of layers that run, before the final layer norm.
///
/// Source: openai/CLIP, as in transformers' CLIPTextModel.
[[nodiscard]] Result<OnnxModel> write_clip_text_model(
    const ClipTextConfig& config, const Weights& weights, GraphDialect dialect, ClipTextUse use = {}
);

/// The tensors that it has when every layer runs.
[[nodiscard]] std::vector<Parameter> clip_text_parameters(const ClipTextConfig& config);

}  // namespace tessera
