#pragma once

#include "base/result.h"
#include "base/tensor.h"

#include <span>

namespace tessera {

/// Weights the text encoder's output for one chunk, {batch, positions, width}, in place, as
/// AUTOMATIC1111's web UI does by default ("Original" of sd_emphasis.py): each position times its
/// weight, then all times what restores the mean of the whole tensor. `weights` has batch *
/// positions values, finite; where all are 1 nothing changes. The web UI's batch is the texts of
/// one prompt's schedule, in order of their steps, so that these share one mean.
/// kInternal: the shapes do not agree.
[[nodiscard]] Status apply_emphasis(Tensor& hidden_states, std::span<const float> weights);

}  // namespace tessera
