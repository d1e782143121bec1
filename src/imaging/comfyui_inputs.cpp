#include "imaging/bounded_json_internal.h"
#include "imaging/comfyui_inputs_internal.h"

#include <algorithm>
#include <array>

namespace tessera {
namespace {

constexpr std::size_t kLongestPrompt = std::size_t{1} << 20U;
constexpr std::size_t kDeepestConditioning = 200;

using Wanted = ComfyGraph::Wanted;

/// The first of these inputs that is linked.
Result<std::optional<ComfyLink>> follow_first(
    ComfyGraph& graph, const ComfyNode& node, std::initializer_list<const char*> inputs
) {
    for (const char* const input : inputs) {
        TESSERA_ASSIGN(const auto link, graph.follow(node, input));
        if (link) {
            return link;
        }
    }
    return std::nullopt;
}

}  // namespace

Result<std::string> ComfyInputs::translated(std::string_view text) {
    // Square brackets are plain letters to ComfyUI.
    std::string prompt;
    bool escaped = false;
    bool weighs = false;
    for (const char letter : text) {
        if ((letter == '[' || letter == ']') && !escaped) {
            prompt += '\\';
        }
        weighs = weighs || (letter == '(' && !escaped);
        escaped = letter == '\\' && !escaped;
        prompt += letter;
    }
    if (weighs) {
        add_not_honoured(
            out_, "emphasis in the prompt, (word:1.2), is weighed otherwise by ComfyUI than here"
        );
    }
    if (text.find("embedding:") != std::string_view::npos) {
        add_not_honoured(
            out_, "\"embedding:\" in the prompt is ComfyUI's way to name a textual inversion"
        );
    }
    if (prompt.size() > kLongestPrompt) {
        return fail(ErrorKind::kExhausted, "the prompt of ComfyUI's workflow is too long");
    }
    return prompt;
}

Result<std::string> ComfyInputs::encoded_text(const ComfyNode& encoder) {
    TESSERA_TRY(clip(encoder));
    const bool is_sdxl = encoder.inputs.contains("text_g");
    const char* const input = is_sdxl ? "text_g" : "text";
    TESSERA_ASSIGN(const auto text, graph_.value(encoder, input, Wanted::kText, out_));
    if (is_sdxl) {
        add_not_honoured(out_, fmt::format("{} has two prompts; text_g is taken", encoder.name()));
    }
    return translated(text.value_or(""));
}

Result<std::string> ComfyInputs::prompt(
    const ComfyNode& start, const char* input, bool is_negative
) {
    TESSERA_ASSIGN(auto link, graph_.follow(start, input));
    if (++conditioning_depth_ > kDeepestConditioning) {
        return fail(ErrorKind::kExhausted, "the prompts of ComfyUI's workflow are too entangled");
    }
    while (link) {
        const ComfyNode& node = *link->node;
        if (node.is({"CLIPTextEncode", "CLIPTextEncodeSDXL", "CLIPTextEncodeSDXLRefiner"})) {
            --conditioning_depth_;
            return encoded_text(node);
        }
        if (node.is({"ConditioningConcat"})) {
            TESSERA_ASSIGN(auto first, prompt(node, "conditioning_to", is_negative));
            TESSERA_ASSIGN(const auto second, prompt(node, "conditioning_from", is_negative));
            --conditioning_depth_;
            if (first.size() + second.size() > kLongestPrompt) {
                return fail(ErrorKind::kExhausted, "the text of {} is too long", node.name());
            }
            first += " BREAK ";
            first += second;
            return first;
        }
        if (node.is({"ConditioningCombine", "ConditioningAverage"})) {
            const bool combines = node.type == "ConditioningCombine";
            const char* const first = combines ? "conditioning_1" : "conditioning_to";
            const char* const second = combines ? "conditioning_2" : "conditioning_from";
            TESSERA_ASSIGN(auto text, prompt(node, first, is_negative));
            TESSERA_ASSIGN(const auto other, prompt(node, second, is_negative));
            --conditioning_depth_;
            add_not_honoured(
                out_, fmt::format("{} mixes in a second prompt, \"{}\"", node.name(), shown(other))
            );
            return text;
        }
        if (node.is({"ConditioningZeroOut"})) {
            --conditioning_depth_;
            add_not_honoured(out_, fmt::format("{} is zeros in place of a prompt", node.name()));
            return std::string();
        }
        add_not_honoured(out_, node.name());
        if (node.inputs.contains("positive") && node.inputs.contains("negative")) {
            TESSERA_ASSIGN(link, graph_.follow(node, link->slot == 1 ? "negative" : "positive"));
            continue;
        }
        if (member(node.inputs, "text").is_string() && node.inputs.contains("clip")) {
            --conditioning_depth_;
            return encoded_text(node);
        }
        TESSERA_ASSIGN(
            link, follow_first(graph_, node, {"conditioning", "cond", "CONDITIONING", "base"})
        );
    }
    --conditioning_depth_;
    add_not_honoured(
        out_,
        fmt::format(
            "the {} of {} cannot be followed to its text",
            is_negative ? "negative prompt" : "prompt",
            start.name()
        )
    );
    return std::string();
}

Status ComfyInputs::take_lora(const ComfyNode& node, bool through_clip) {
    auto found = std::find_if(loras_.begin(), loras_.end(), [&](const auto& seen) {
        return seen.first == node.id;
    });
    if (found == loras_.end()) {
        SeenLora seen;
        TESSERA_ASSIGN(const auto file, graph_.value(node, "lora_name", Wanted::kText, out_));
        TESSERA_ASSIGN(
            const auto model, graph_.real(node, "strength_model", -1000.0, 1000.0, out_)
        );
        TESSERA_ASSIGN(const auto clip, graph_.real(node, "strength_clip", -1000.0, 1000.0, out_));
        seen.lora = {file.value_or(""), model.value_or(1.0), clip.value_or(1.0)};
        loras_.emplace_back(node.id, std::move(seen));
        found = std::prev(loras_.end());
    }
    (through_clip ? found->second.through_clip : found->second.through_model) = true;
    return {};
}

Status ComfyInputs::clip(const ComfyNode& encoder) {
    TESSERA_ASSIGN(auto link, graph_.follow(encoder, "clip"));
    while (link) {
        const ComfyNode& node = *link->node;
        if (node.is({"CLIPSetLastLayer"})) {
            TESSERA_ASSIGN(
                const auto layer, graph_.whole(node, "stop_at_clip_layer", -100, -1, out_)
            );
            if (layer && !out_.clip_skip) {
                out_.clip_skip = -*layer;
            }
        } else if (node.is({"LoraLoader"})) {
            TESSERA_TRY(take_lora(node, true));
        } else if (node.type.starts_with("CheckpointLoader")) {
            return {};
        } else {
            add_not_honoured(out_, fmt::format("{} for the text encoder", node.name()));
        }
        TESSERA_ASSIGN(link, graph_.follow(node, "clip"));
    }
    return {};
}

Result<std::string> ComfyInputs::model(const ComfyNode& sampler) {
    TESSERA_ASSIGN(auto link, graph_.follow(sampler, "model"));
    while (link) {
        const ComfyNode& node = *link->node;
        for (const char* const file : {"ckpt_name", "unet_name", "model_name"}) {
            if (!node.inputs.contains(file) || node.inputs.contains("model")) {
                continue;
            }
            TESSERA_ASSIGN(const auto name, graph_.value(node, file, Wanted::kText, out_));
            return name.value_or("");
        }
        if (node.is({"LoraLoader", "LoraLoaderModelOnly"})) {
            TESSERA_TRY(take_lora(node, false));
        } else if (node.is({"RescaleCFG"})) {
            TESSERA_ASSIGN(out_.cfg_rescale, graph_.real(node, "multiplier", 0.0, 1.0, out_));
            add_not_honoured(
                out_, fmt::format("{} rescales a prediction of another kind than here", node.name())
            );
        } else {
            add_not_honoured(out_, node.name());
        }
        TESSERA_ASSIGN(link, graph_.follow(node, "model"));
    }
    return std::string();
}

Status ComfyInputs::vae(const ComfyNode& node) {
    TESSERA_ASSIGN(const auto link, graph_.follow(node, "vae"));
    if (link && !link->node->type.starts_with("CheckpointLoader")) {
        TESSERA_ASSIGN(const auto file, graph_.value(*link->node, "vae_name", Wanted::kText, out_));
        add_not_honoured(
            out_,
            fmt::format(
                "{} takes another VAE than the model's own, {}",
                link->node->name(),
                shown(file.value_or("without a name"))
            )
        );
    }
    return {};
}

void ComfyInputs::list_loras() {
    for (auto seen = loras_.rbegin(); seen != loras_.rend(); ++seen) {
        ForeignLora lora = seen->second.lora;
        lora.model_strength = seen->second.through_model ? lora.model_strength : 0.0;
        lora.clip_strength = seen->second.through_clip ? lora.clip_strength : 0.0;
        out_.loras.push_back(std::move(lora));
    }
}

}  // namespace tessera
