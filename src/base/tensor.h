#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

namespace tessera {

/// Dimensions, outermost first. Pictures and latents are {batch, channels, height, width}.
using Shape = std::vector<std::int64_t>;

/// Number of elements; 1 for a scalar's empty shape. The product must be known to fit.
[[nodiscard]] inline std::size_t element_count(const Shape& shape) {
    return static_cast<std::size_t>(
        std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>())
    );
}

/// The element types that networks take and give.
enum class ElementType : std::uint8_t { kFloat, kInt64 };

/// A dense row-major array that owns its values: what networks take and give.
template <class T>
struct BasicTensor {
    Shape shape;
    std::vector<T> values;

    BasicTensor() = default;
    explicit BasicTensor(Shape dimensions)
        : shape(std::move(dimensions)), values(element_count(shape)) {}
    BasicTensor(Shape dimensions, std::vector<T> content)
        : shape(std::move(dimensions)), values(std::move(content)) {}

    bool operator==(const BasicTensor&) const = default;
};

using Tensor = BasicTensor<float>;
using IdTensor = BasicTensor<std::int64_t>;

}  // namespace tessera
