#pragma once

#include "base/result.h"
#include "base/tensor.h"

namespace tessera {

/// Classifier-free guidance (Ho and Salimans 2022): unconditional + scale * (conditional -
/// unconditional), in float as the reference pipelines compute it. Scale 1 gives the conditional
/// prediction up to rounding. kInternal when the shapes differ.
[[nodiscard]] Result<Tensor> guide(
    const Tensor& unconditional, const Tensor& conditional, double scale
);

/// The same on one batch of twice the pictures, {unconditional..., conditional...} along the first
/// dimension. kInternal when that dimension is odd.
[[nodiscard]] Result<Tensor> guide_halves(const Tensor& both, double scale);

}  // namespace tessera
