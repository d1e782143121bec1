#include "diffusion/guidance.h"

#include <span>

namespace tessera {

namespace {

Tensor combine(
    const Shape& shape, std::span<const float> without, std::span<const float> with, double scale
) {
    Tensor guided(shape);
    const auto factor = static_cast<float>(scale);
    for (std::size_t i = 0; i < guided.values.size(); ++i) {
        guided.values[i] = without[i] + factor * (with[i] - without[i]);
    }
    return guided;
}

}  // namespace

Result<Tensor> guide(const Tensor& unconditional, const Tensor& conditional, double scale) {
    if (unconditional.shape != conditional.shape) {
        return fail(ErrorKind::kInternal, "the two predictions to guide between differ in shape");
    }
    return combine(unconditional.shape, unconditional.values, conditional.values, scale);
}

Result<Tensor> guide_halves(const Tensor& both, double scale) {
    if (both.shape.empty() || both.shape.front() % 2 != 0) {
        return fail(ErrorKind::kInternal, "a batch to guide must hold an even number of pictures");
    }
    Shape half = both.shape;
    half.front() /= 2;
    const std::span<const float> values(both.values);
    return combine(half, values.first(values.size() / 2), values.last(values.size() / 2), scale);
}

}  // namespace tessera
