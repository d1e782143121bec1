#include "diffusion/linear_combination.h"

namespace tessera {

Tensor linear_combination(std::span<const Addend> addends) {
    Tensor sum(addends.front().tensor.shape);
    for (std::size_t i = 0; i < sum.values.size(); ++i) {
        double value = 0.0;
        for (const Addend& addend : addends) {
            value += addend.factor * static_cast<double>(addend.tensor.values[i]);
        }
        sum.values[i] = static_cast<float>(value);
    }
    return sum;
}

Tensor linear_combination(std::initializer_list<Addend> addends) {
    return linear_combination(std::span(addends.begin(), addends.size()));
}

}  // namespace tessera
