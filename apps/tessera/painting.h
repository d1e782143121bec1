#pragma once

#include "base/result.h"
#include "base/tensor.h"
#include "tessera/opened_model.h"
#include "tessera/output_plan.h"
#include "tessera/progress.h"
#include "tessera/recipe.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

namespace tessera::cli {

/// Where the time of one picture went. Networks are loaded in the stage that first needs them.
struct StageSeconds {
    double text = 0.0;  ///< prompts, and the init picture
    double steps = 0.0;
    double decoding = 0.0;
    double writing = 0.0;
};

/// A picture that is on the disk.
struct FinishedPicture {
    std::filesystem::path path;
    Recipe recipe;
    StageSeconds seconds;
};

/// All that can be known of a recipe before work: names, ranges, the length of the prompts.
[[nodiscard]] Status check_recipe(const Recipe& recipe, const PipelineModel& model);

/// Renders `count` pictures one after the other, with the recipe's seed and those that follow, and
/// writes each as soon as it is done; then `finished` is told. `init` belongs to recipe.init.
[[nodiscard]] Status paint(
    const OpenedModel& model,
    const Recipe& recipe,
    int count,
    const std::optional<Tensor>& init,
    const OutputPlan& output,
    Progress& progress,
    const std::stop_token& stop,
    const std::function<void(const FinishedPicture&)>& finished
);

}  // namespace tessera::cli
