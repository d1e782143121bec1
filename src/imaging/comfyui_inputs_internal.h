#pragma once

#include "imaging/comfyui_graph_internal.h"

#include <map>
#include <string>
#include <string_view>

namespace tessera {

/// What a sampler node of ComfyUI's graph is fed with: prompts, the model and what changes it.
/// Remarks go into `out`.
class ComfyInputs {
  public:
    ComfyInputs(ComfyGraph& graph, ForeignParameters& out) : graph_(graph), out_(out) {}

    /// The text behind an input that takes conditioning; `is_negative` chooses where a node has
    /// both. LoRAs and clip skip on the way are taken down too.
    [[nodiscard]] Result<std::string> prompt(
        const ComfyNode& node, const char* input, bool is_negative
    );

    /// Goes up the chain of models to the file: its name.
    [[nodiscard]] Result<std::string> model(const ComfyNode& node);

    /// Takes down a VAE that is not the model's own.
    [[nodiscard]] Status vae(const ComfyNode& node);

    /// Puts the LoRAs seen so far into `out`, as they are applied.
    void list_loras();

  private:
    [[nodiscard]] Status clip(const ComfyNode& encoder);
    [[nodiscard]] Result<std::string> encoded_text(const ComfyNode& encoder);
    [[nodiscard]] Status take_lora(const ComfyNode& node, bool through_clip);
    [[nodiscard]] Result<std::string> translated(std::string_view text);

    ComfyGraph& graph_;
    ForeignParameters& out_;
    struct SeenLora {
        ForeignLora lora;
        bool through_model = false;
        bool through_clip = false;
    };
    std::vector<std::pair<std::string, SeenLora>> loras_;  // by node, nearest the sampler first
    std::size_t conditioning_depth_ = 0;
};

}  // namespace tessera
