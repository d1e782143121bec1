#pragma once

#include "base/result.h"
#include "imaging/foreign_parameters.h"
#include "tessera/recipe.h"

#include <string>
#include <vector>

namespace tessera::cli {

/// A recipe made of what another program wrote, as far as that goes.
struct ForeignRecipe {
    Recipe recipe;
    std::vector<std::string> not_honoured;  ///< a sentence each
    /// Of the second pass and as written; empty: not said. The recipe has the shipped one.
    std::string upscaler;
};

/// kInvalidArgument naming what is missing; kNotFound for a sampler or schedule that is not here,
/// with near names.
[[nodiscard]] Result<ForeignRecipe> to_recipe(const ForeignParameters& foreign);

}  // namespace tessera::cli
