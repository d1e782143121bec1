#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/tensor.h"
#include "checkpoint/dtype.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tessera {

/// A stored tensor where it lies: little-endian, row-major, at any alignment, so elements are read
/// by copying. The view does not own its bytes. Their count is always that of the shape.
struct TensorView {
    DType dtype;
    Shape shape;
    ByteView bytes;
};

struct NamedTensor {
    std::string name;
    TensorView tensor;
};

/// The shape as people write it: "[320, 4, 3, 3]".
[[nodiscard]] std::string shape_text(const Shape& shape);

/// Writes the tensor's values as floats. F16 and BF16 are widened exactly (subnormals, infinities
/// and the payload of NaNs included), F32 is copied, F64 is rounded to the nearest float.
/// kInvalidArgument when `into` has not exactly one place per element; kUnsupported for integers
/// and the 8-bit and complex types.
[[nodiscard]] Status widen(const TensorView& tensor, std::span<float> into);

/// The same into a new vector.
[[nodiscard]] Result<std::vector<float>> to_floats(const TensorView& tensor);

/// The values of an integer tensor (token ids, for one). kUnsupported for every other type and for
/// values that 64 signed bits cannot hold.
[[nodiscard]] Result<std::vector<std::int64_t>> to_integers(const TensorView& tensor);

}  // namespace tessera
