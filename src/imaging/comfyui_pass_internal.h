#pragma once

#include "imaging/comfyui_graph_internal.h"
#include "imaging/comfyui_inputs_internal.h"

#include <optional>
#include <string>

namespace tessera {

/// One use of a sampler in ComfyUI's graph.
struct ComfyPass {
    const ComfyNode* node = nullptr;
    std::optional<int> steps;  ///< that are taken
    double denoise = 1.0;
    std::optional<double> cfg;
    std::optional<std::uint64_t> seed;
    std::string sampler;
    std::string scheduler;
    std::string prompt;
    std::string negative_prompt;
    std::string model;
};

/// Whether it takes latents and gives sampled ones.
[[nodiscard]] bool is_comfy_sampler(const ComfyNode& node);

[[nodiscard]] Result<ComfyPass> read_comfy_pass(
    const ComfyNode& node, ComfyGraph& graph, ComfyInputs& inputs, ForeignParameters& remarks
);

}  // namespace tessera
