#include "base/number.h"
#include "imaging/bounded_json_internal.h"
#include "imaging/comfyui_graph_internal.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace tessera {
namespace {

constexpr std::size_t kMostText = std::size_t{1} << 20U;

/// Where nodes that only hold or pass on a value have it.
constexpr std::array kValueInputs{
    "value",  "Value",  "seed",           "noise_seed",  "int",       "Int",   "float",
    "Float",  "number", "Number",         "string",      "String",    "text",  "Text",
    "STRING", "prompt", "multiline_text", "text_string", "positive",  "width", "height",
    "steps",  "cfg",    "sampler_name",   "scheduler",   "ckpt_name", ""};

/// Numbers first, in their order.
auto order_of(const std::string& id) {
    const auto number = read_number<std::uint64_t>(id);
    return std::tuple(!number, number.value_or(0), id);
}

bool is_link(const nlohmann::json& value) {
    return value.is_array() && value.size() == 2 &&
           (value[0].is_string() || value[0].is_number()) && value[1].is_number_integer();
}

std::string described(const ComfyNode& node, const char* input) {
    return fmt::format("{}: {}", node.name(), input);
}

}  // namespace

std::string ComfyNode::name() const {
    return fmt::format("node {} {}", shown(id), shown(type));
}

bool ComfyNode::is(std::initializer_list<std::string_view> types) const {
    return std::find(types.begin(), types.end(), type) != types.end();
}

Result<ComfyGraph> ComfyGraph::parse(std::string_view text) {
    TESSERA_ASSIGN(auto json, parse_bounded_json("ComfyUI's workflow", text));
    ComfyGraph graph;
    for (auto& [id, value] : json.items()) {
        if (!member(value, "class_type").is_string() || !member(value, "inputs").is_object()) {
            continue;
        }
        graph.nodes_.push_back(
            {id, value["class_type"].get<std::string>(), std::move(value["inputs"])}
        );
    }
    if (graph.nodes_.empty()) {
        return fail(
            ErrorKind::kCorrupt,
            "ComfyUI's workflow in the picture holds no nodes (\"class_type\" with \"inputs\")"
        );
    }
    auto& nodes = graph.nodes_;
    std::sort(nodes.begin(), nodes.end(), [](const ComfyNode& left, const ComfyNode& right) {
        return order_of(left.id) < order_of(right.id);
    });
    for (std::size_t at = 0; at < nodes.size(); ++at) {
        graph.by_id_.emplace(nodes[at].id, at);
    }
    constexpr std::size_t kLooksPerNode = 100;
    constexpr std::size_t kMostLooks = 100'000;
    graph.most_looks_ = std::min(nodes.size() * kLooksPerNode, kMostLooks);
    return graph;
}

Status ComfyGraph::count_look(const ComfyNode& node) {
    if (++looks_ > most_looks_) {
        return fail(
            ErrorKind::kExhausted,
            "the links of ComfyUI's workflow run in a circle or are too entangled at {}",
            node.name()
        );
    }
    return {};
}

Result<std::optional<ComfyLink>> ComfyGraph::follow(const ComfyNode& node, const char* input) {
    TESSERA_TRY(count_look(node));
    const nlohmann::json* link = &member(node.inputs, input);
    while (is_link(*link)) {
        const std::string id = scalar_text((*link)[0]).value_or("");
        const auto found = by_id_.find(id);
        if (found == by_id_.end()) {
            return fail(
                ErrorKind::kCorrupt,
                "ComfyUI's workflow is damaged: {} of {} is linked to node {}, which is not there",
                input,
                node.name(),
                shown(id)
            );
        }
        const ComfyNode& source = nodes_[found->second];
        const bool passes_on = source.type.find("Reroute") != std::string::npos &&
                               source.inputs.size() == 1 && is_link(*source.inputs.begin());
        if (!passes_on) {
            return ComfyLink{&source, (*link)[1].get<std::int64_t>()};
        }
        TESSERA_TRY(count_look(source));
        link = &*source.inputs.begin();
    }
    return std::nullopt;
}

Result<std::optional<std::string>> ComfyGraph::value(
    const ComfyNode& start, const char* first_input, Wanted wanted, ForeignParameters& remarks
) {
    const ComfyNode* node = &start;
    const char* input = first_input;
    while (true) {
        const nlohmann::json& here = member(node->inputs, input);
        if (!is_link(here)) {
            auto text =
                wanted == Wanted::kText && !here.is_string() ? std::nullopt : scalar_text(here);
            const bool is_wrong = !text && !here.is_null();
            if (is_wrong || (text && text->size() > kMostText)) {
                return fail(
                    ErrorKind::kCorrupt,
                    "ComfyUI's workflow is damaged: {} of {} is {}",
                    input,
                    node->name(),
                    text ? "longer than a text can be" : "not of the kind it must be"
                );
            }
            return text;
        }
        TESSERA_ASSIGN(const auto link, follow(*node, input));
        if (!link) {
            return std::nullopt;
        }
        node = link->node;
        if (wanted == Wanted::kText && node->is({"StringConcatenate"})) {
            return joined(*node, remarks);
        }
        // Not more than a value holder: a node that computes has other inputs than these.
        const auto* const holder =
            std::find_if(kValueInputs.begin(), kValueInputs.end(), [&](const char* name) {
                const nlohmann::json& held = member(node->inputs, name);
                return is_link(held) ||
                       (wanted == Wanted::kText ? held.is_string() : held.is_number());
            });
        if (holder == kValueInputs.end()) {
            add_not_honoured(
                remarks,
                fmt::format(
                    "{} comes from {}, which cannot be followed",
                    described(start, first_input),
                    node->name()
                )
            );
            return std::nullopt;
        }
        input = *holder;
    }
}

Result<std::optional<std::string>> ComfyGraph::joined(
    const ComfyNode& node, ForeignParameters& remarks
) {
    TESSERA_ASSIGN(const auto first, value(node, "string_a", Wanted::kText, remarks));
    TESSERA_ASSIGN(const auto second, value(node, "string_b", Wanted::kText, remarks));
    TESSERA_ASSIGN(const auto between, value(node, "delimiter", Wanted::kText, remarks));
    auto text = first.value_or("") + between.value_or("") + second.value_or("");
    if (text.size() > kMostText) {
        return fail(ErrorKind::kExhausted, "the text of {} is too long", node.name());
    }
    return text;
}

Result<std::optional<int>> ComfyGraph::whole(
    const ComfyNode& node, const char* input, int least, int most, ForeignParameters& remarks
) {
    TESSERA_ASSIGN(const auto text, value(node, input, Wanted::kNumber, remarks));
    if (!text) {
        return std::nullopt;
    }
    return parse_whole(described(node, input), *text, least, most);
}

Result<std::optional<double>> ComfyGraph::real(
    const ComfyNode& node, const char* input, double least, double most, ForeignParameters& remarks
) {
    TESSERA_ASSIGN(const auto text, value(node, input, Wanted::kNumber, remarks));
    if (!text) {
        return std::nullopt;
    }
    return parse_real(described(node, input), *text, least, most);
}

Result<std::optional<std::uint64_t>> ComfyGraph::seed(
    const ComfyNode& node, const char* input, ForeignParameters& remarks
) {
    TESSERA_ASSIGN(const auto text, value(node, input, Wanted::kNumber, remarks));
    if (!text) {
        return std::nullopt;
    }
    return parse_seed(described(node, input), *text);
}

}  // namespace tessera
