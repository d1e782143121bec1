#pragma once

#include "base/result.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace tessera {

/// One of the prompts that AND joins: predicted by itself, its difference from the unconditional
/// prediction counts `weight` times (Liu et al. 2022, arXiv:2206.01714).
struct ComposedText {
    std::string_view text;  ///< a part of the prompt given
    double weight = 1;
};

/// Splits "a cat :1.2 AND a dog" at the word AND (capitals) and takes the weight off each end, as
/// AUTOMATIC1111's web UI does (get_multicond_prompt_list). Never empty.
/// kInvalidArgument: a weight beyond kMaxPromptWeight, more than 64 parts.
[[nodiscard]] Result<std::vector<ComposedText>> split_composition(std::string_view prompt);

}  // namespace tessera
