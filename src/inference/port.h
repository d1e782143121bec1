#pragma once

#include "base/result.h"
#include "base/tensor.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// One named input or output of a network.
struct Port {
    std::string name;
    ElementType type = ElementType::kFloat;
    Shape shape;                       ///< -1 where the caller chooses
    std::vector<std::string> symbols;  ///< per dimension: its name where it has one, else empty
};

/// A tensor on its way into a network, by reference: it must outlive the call it is given to.
class Input {
  public:
    Input(std::string_view port, const Tensor& tensor) : port_(port), floats_(&tensor) {}
    Input(std::string_view port, const IdTensor& tensor) : port_(port), ids_(&tensor) {}
    Input(std::string_view port, Tensor&& tensor) = delete;
    Input(std::string_view port, IdTensor&& tensor) = delete;

    [[nodiscard]] std::string_view port() const { return port_; }
    [[nodiscard]] ElementType type() const {
        return floats_ != nullptr ? ElementType::kFloat : ElementType::kInt64;
    }
    [[nodiscard]] const Shape& shape() const {
        return floats_ != nullptr ? floats_->shape : ids_->shape;
    }
    [[nodiscard]] std::size_t value_count() const {
        return floats_ != nullptr ? floats_->values.size() : ids_->values.size();
    }
    /// Empty when the tensor is of the other type.
    [[nodiscard]] std::span<const float> floats() const;
    [[nodiscard]] std::span<const std::int64_t> ids() const;

  private:
    std::string_view port_;
    const Tensor* floats_ = nullptr;
    const IdTensor* ids_ = nullptr;
};

/// Puts the inputs into the order of the ports: the result's element i is the index in `inputs` of
/// what goes into `ports[i]`. kInvalidArgument unless every port is fed exactly once, with its type
/// and shape, with as many values as the shape says, and with one size per named dimension.
[[nodiscard]] Result<std::vector<std::size_t>> match_inputs(
    std::span<const Port> ports, std::span<const Input> inputs
);

}  // namespace tessera
