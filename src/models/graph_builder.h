#pragma once

#include "base/result.h"
#include "checkpoint/weights.h"
#include "models/onnx_model.h"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tessera {

/// An edge of the graph being built, by its ONNX name. An empty name is an absent optional input.
struct Value {
    std::string name;
};

/// A dimension of a graph input or output: a fixed size, or a name for one known when it runs.
using Dimension = std::variant<std::int64_t, std::string>;

struct Attribute {
    std::string name;
    std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>> value;
};

/// A tensor that an architecture has, by its checkpoint name.
struct Parameter {
    std::string name;
    Shape shape;
};

/// Writes one ONNX graph (IR 8, opset 17), operator by operator, in execution order.
///
/// Weights are taken from a checkpoint by name and expected shape; the first one that is missing or
/// misshapen is remembered and told by `finish`, so that the networks read as plain sequences of
/// layers. Not thread-safe.
class GraphBuilder {
  public:
    /// Without weights (nullptr) the graph cannot be finished; `parameters` tells what it would
    /// need.
    GraphBuilder(std::string name, GraphDialect dialect, const Weights* weights);
    ~GraphBuilder();
    GraphBuilder(const GraphBuilder&) = delete;
    GraphBuilder& operator=(const GraphBuilder&) = delete;

    [[nodiscard]] GraphDialect dialect() const { return dialect_; }

    Value input(
        const std::string& name, ElementType type, const std::vector<Dimension>& dimensions
    );
    void output(
        const std::string& name,
        const Value& value,
        ElementType type,
        const std::vector<Dimension>& dimensions
    );

    /// Adds a node with one output. Operators of ONNX Runtime carry their domain:
    /// "com.microsoft::QuickGelu".
    Value node(
        std::string_view operation,
        std::initializer_list<Value> inputs,
        std::initializer_list<Attribute> attributes = {}
    );
    Value node(
        std::string_view operation,
        std::span<const Value> inputs,
        std::initializer_list<Attribute> attributes = {}
    );

    /// A checkpoint tensor that must have this shape.
    Value weight(const std::string& name, const Shape& shape);
    /// The same tensor seen as another shape of as many elements (a 1x1 convolution as a matrix).
    Value weight_as(const std::string& name, const Shape& stored, const Shape& seen);
    /// Rows [first, first + rows) of a tensor, along its outermost dimension.
    Value weight_rows(
        const std::string& name, const Shape& stored, std::int64_t first, std::int64_t rows
    );
    [[nodiscard]] bool has_weight(const std::string& name) const;
    /// The stored rank of a tensor, -1 when it is missing.
    [[nodiscard]] int weight_rank(const std::string& name) const;

    /// Small constants, kept inside the graph; equal ones are shared.
    Value constant(const std::vector<std::int64_t>& values);
    Value scalar(std::int64_t value);
    Value scalar(float value);
    Value constant(const Shape& shape, const std::vector<float>& values);

    /// The checkpoint tensors asked for so far, each once, in order.
    [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }

    /// The finished model, or the first weight that did not fit. Call once.
    [[nodiscard]] Result<OnnxModel> finish();

  private:
    struct Impl;

    Value external_weight(
        const std::string& checkpoint_name,
        const std::string& graph_name,
        const Shape& stored,
        const Shape& seen,
        std::int64_t first_element
    );

    GraphDialect dialect_;
    std::optional<Weights> weights_;
    std::vector<Parameter> parameters_;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tessera
