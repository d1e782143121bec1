#include "diffusion/linear_combination.h"

namespace tessera {

Tensor linear_combination(std::initializer_list<Addend> addends) {
    Tensor sum(addends.begin()->tensor.shape);
    for (std::size_t i = 0; i < sum.values.size(); ++i) {
        double value = 0.0;
        for (const Addend& addend : addends) {
            value += addend.factor * static_cast<double>(addend.tensor.values[i]);
        }
        sum.values[i] = static_cast<float>(value);
    }
    return sum;
}

}  // namespace tessera
