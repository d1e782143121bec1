#include "events/labels.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tessera {

std::string_view model_label(std::string_view affinity) {
    return affinity.substr(0, affinity.rfind(' '));
}

std::string_view stage_label(std::string_view stage) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kLabels{{
        {"loading", "load"},
        {"text", "encode"},
        {"steps", "denoise"},
        {"decoding", "decode"},
        {"enlarging", "upscale"},
        {"storing", "store"},
    }};
    const auto found =
        std::ranges::find(kLabels, stage, [](const auto& label) { return label.first; });
    return found == kLabels.end() ? "other" : found->second;
}

}  // namespace tessera
