#pragma once

#include <string_view>

/// What operators read of the farm's own words, in metrics and traces.
namespace tessera {

/// "demo" of the affinity "demo 1f0c…": a name without its hash.
[[nodiscard]] std::string_view model_label(std::string_view affinity);

/// "denoise" of StageTime's "steps"; "other" of a stage that is not known.
[[nodiscard]] std::string_view stage_label(std::string_view stage);

}  // namespace tessera
