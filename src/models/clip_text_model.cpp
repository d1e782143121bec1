#include "models/clip_text_model.h"

#include "models/config_reader.h"

namespace tessera {

Result<ClipTextConfig> ClipTextConfig::parse(std::string_view config_json) {
    ConfigReader reader(config_json);
    ClipTextConfig config{};
    config.vocab_size = reader.integer("vocab_size", 49408, 2, 1 << 20);
    config.hidden_size = reader.integer("hidden_size", 512, 1, 1 << 14);
    config.intermediate_size = reader.integer("intermediate_size", 2048, 1, 1 << 16);
    config.num_hidden_layers = reader.integer("num_hidden_layers", 12, 1, 256);
    config.num_attention_heads = reader.integer("num_attention_heads", 8, 1, 1 << 10);
    config.max_position_embeddings = reader.integer("max_position_embeddings", 77, 2, 4096);
    config.layer_norm_eps = static_cast<float>(reader.number("layer_norm_eps", 1e-5));
    config.eos_token_id = reader.integer("eos_token_id", 49407, 0, 1 << 20);
    const auto activation = find_activation(reader.text("hidden_act", "quick_gelu"));
    TESSERA_TRY(reader.status());
    TESSERA_ASSIGN(config.hidden_act, activation);
    if (config.hidden_size % config.num_attention_heads != 0) {
        return fail(
            ErrorKind::kInvalidArgument,
            "hidden_size {} cannot be split into {} heads (num_attention_heads)",
            config.hidden_size,
            config.num_attention_heads
        );
    }
    return config;
}

namespace {

Value encoder_layer(
    GraphBuilder& graph,
    const ClipTextConfig& config,
    const Value& x,
    const Value& batch,
    const std::string& name
) {
    const int width = config.hidden_size;
    const auto projected = [&](const Value& input, const char* part) {
        return linear(graph, input, name + ".self_attn." + part, width, width);
    };
    const auto normal = layer_norm(graph, x, name + ".layer_norm1", width, config.layer_norm_eps);
    const auto query = projected(normal, "q_proj");
    const auto key = projected(normal, "k_proj");
    const auto value = projected(normal, "v_proj");
    const auto attended = attention(
        graph,
        query,
        key,
        value,
        batch,
        {width, config.num_attention_heads, /*causal=*/true, config.max_position_embeddings}
    );
    const auto mixed = add(graph, x, projected(attended, "out_proj"));

    const auto again =
        layer_norm(graph, mixed, name + ".layer_norm2", width, config.layer_norm_eps);
    const auto inner = activate(
        graph,
        linear(graph, again, name + ".mlp.fc1", width, config.intermediate_size),
        config.hidden_act
    );
    return add(
        graph, mixed, linear(graph, inner, name + ".mlp.fc2", config.intermediate_size, width)
    );
}

/// The row of each sequence's end token: where the id is highest if the configuration names the
/// legacy id 2 (the end token has the highest id), else the first that equals eos_token_id.
Value end_rows(GraphBuilder& graph, const ClipTextConfig& config, const Value& ids) {
    constexpr int kLegacyEosTokenId = 2;
    auto key = ids;
    if (config.eos_token_id != kLegacyEosTokenId) {
        const auto is_end =
            graph.node("Equal", {ids, graph.scalar(std::int64_t{config.eos_token_id})});
        key = graph.node("Cast", {is_end}, {{"to", std::int64_t{6}}});  // int32
    }
    return graph.node("ArgMax", {key}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{1}}});
}

void write_network(GraphBuilder& graph, const ClipTextConfig& config, ClipTextUse use) {
    const int positions = config.max_position_embeddings;
    const int width = config.hidden_size;
    const std::string root = "text_model";

    const auto ids = graph.input("input_ids", ElementType::kInt64, {"batch", positions});
    const auto batch = batch_size(graph, ids);
    auto words = graph.node(
        "Gather",
        {graph.weight(root + ".embeddings.token_embedding.weight", {config.vocab_size, width}), ids}
    );
    if (use.takes_vectors) {
        // Multiplying by 1 and adding 0 changes no bit.
        const auto shares = graph.input("id_shares", ElementType::kFloat, {"batch", positions, 1});
        const auto vectors =
            graph.input("vectors", ElementType::kFloat, {"batch", positions, width});
        words = add(graph, graph.node("Mul", {words, shares}), vectors);
    }
    const auto places =
        graph.weight(root + ".embeddings.position_embedding.weight", {positions, width});
    const auto flat = graph.constant({-1, width});
    auto x = graph.node("Reshape", {add(graph, words, places), flat});

    const auto sequences = graph.constant({-1, positions, width});
    const std::vector<Dimension> hidden_shape{"batch", positions, width};
    const auto as_sequences = [&](const Value& tokens) {
        return graph.node("Reshape", {tokens, sequences});
    };
    graph.output("hidden_states.0", as_sequences(x), ElementType::kFloat, hidden_shape);
    for (int layer = 0; layer <= config.num_hidden_layers - use.clip_skip; ++layer) {
        x = encoder_layer(
            graph, config, x, batch, fmt::format("{}.encoder.layers.{}", root, layer)
        );
        graph.output(
            fmt::format("hidden_states.{}", layer + 1),
            as_sequences(x),
            ElementType::kFloat,
            hidden_shape
        );
    }
    const auto last =
        as_sequences(layer_norm(graph, x, root + ".final_layer_norm", width, config.layer_norm_eps)
        );
    graph.output("last_hidden_state", last, ElementType::kFloat, hidden_shape);
    const auto pooled = graph.node(
        "GatherND", {last, end_rows(graph, config, ids)}, {{"batch_dims", std::int64_t{1}}}
    );
    graph.output("pooled_output", pooled, ElementType::kFloat, {"batch", width});
}

constexpr const char* kName = "text_encoder";

}  // namespace

Result<OnnxModel> write_clip_text_model(
    const ClipTextConfig& config, const Weights& weights, GraphDialect dialect, ClipTextUse use
) {
    if (use.clip_skip < 1 || use.clip_skip > config.num_hidden_layers) {
        return fail(
            ErrorKind::kInvalidArgument,
            "clip skip {} is out of range; this text encoder has {} layers",
            use.clip_skip,
            config.num_hidden_layers
        );
    }
    GraphBuilder graph(kName, dialect, &weights);
    write_network(graph, config, use);
    return graph.finish();
}

std::vector<Parameter> clip_text_parameters(const ClipTextConfig& config) {
    GraphBuilder graph(kName, GraphDialect::kOnnx, nullptr);
    write_network(graph, config, {});
    return graph.parameters();
}

}  // namespace tessera
