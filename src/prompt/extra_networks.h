#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// A tag <kind:name:number...> of the prompt: <lora:ink:0.8>, <lyco:ink>, <hypernet:ink:0.5>.
struct ExtraNetworkTag {
    std::string kind;                    ///< "lora"
    std::string name;                    ///< "ink"
    std::vector<std::string> arguments;  ///< what follows the name, as written: "0.8", "te=0.5"
    double text_encoder_multiplier = 1;  ///< first number, or te=; within kMaxPromptWeight
    double unet_multiplier = 1;          ///< second number, or unet=; absent: the first
    std::optional<int> dyn_dim;          ///< third, or dyn=: rows to keep of a dynamic LyCORIS
};

struct TaggedPrompt {
    std::string text;     ///< without the tags
    std::string aligned;  ///< with spaces for them: each character is where the prompt has it
    std::vector<ExtraNetworkTag> tags;
    std::vector<std::string> remarks;
};

/// Takes the tags out as AUTOMATIC1111's web UI does (extra_networks.py; numbers as in its Lora
/// extension), in their order. What looks like one but cannot be read stays text, with a remark.
[[nodiscard]] TaggedPrompt take_extra_networks(std::string_view prompt);

}  // namespace tessera
