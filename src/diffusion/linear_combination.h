#pragma once

#include "base/tensor.h"

#include <initializer_list>
#include <span>

namespace tessera {

/// One addend of a linear combination: factor * tensor.
struct Addend {
    double factor;
    const Tensor& tensor;
};

/// The sum of the addends, element by element in double in the given order, rounded to float at
/// the end. At least one addend; all of one shape.
[[nodiscard]] Tensor linear_combination(std::span<const Addend> addends);
[[nodiscard]] Tensor linear_combination(std::initializer_list<Addend> addends);

}  // namespace tessera
