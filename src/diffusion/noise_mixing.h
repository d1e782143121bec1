#pragma once

#include "base/tensor.h"

namespace tessera {

/// Spherical interpolation from `low` (amount 0) to `high` (1) of {channels, height, width}, column
/// by column as A1111's modules/rng.py has it: the norm that stays is that of each column.
[[nodiscard]] Tensor slerp_columns(double amount, const Tensor& low, const Tensor& high);

/// Lays the middle of `piece` over the middle of `ground`, both {channels, height, width} with
/// equally many channels, cropping where the piece is larger; odd differences fall as in A1111's
/// modules/rng.py.
void paste_centred(const Tensor& piece, Tensor& ground);

}  // namespace tessera
