#include "models/graph_builder.h"

#include "base/hash.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <map>

namespace tessera {
namespace {

constexpr int kIrVersion = 8;
constexpr int kOpset = 17;
constexpr std::string_view kOrtDomain = "com.microsoft";

/// Below this many elements a weight is stored inside the graph: shape inference and constant
/// folding may look at it, and a file of thousands of tiny external entries gains nothing.
constexpr std::size_t kInlineElements = 64;

void set_type(
    onnx::ValueInfoProto& info,
    const std::string& name,
    ElementType type,
    const std::vector<Dimension>& dimensions
) {
    info.set_name(name);
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(
        type == ElementType::kFloat ? onnx::TensorProto::FLOAT : onnx::TensorProto::INT64
    );
    auto& shape = *tensor.mutable_shape();
    for (const auto& dimension : dimensions) {
        auto& added = *shape.add_dim();
        if (const auto* size = std::get_if<std::int64_t>(&dimension)) {
            added.set_dim_value(*size);
        } else {
            added.set_dim_param(std::get<std::string>(dimension));
        }
    }
}

void set_attribute(onnx::AttributeProto& proto, const Attribute& attribute) {
    proto.set_name(attribute.name);
    if (const auto* integer = std::get_if<std::int64_t>(&attribute.value)) {
        proto.set_type(onnx::AttributeProto::INT);
        proto.set_i(*integer);
    } else if (const auto* number = std::get_if<float>(&attribute.value)) {
        proto.set_type(onnx::AttributeProto::FLOAT);
        proto.set_f(*number);
    } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
        proto.set_type(onnx::AttributeProto::STRING);
        proto.set_s(*text);
    } else {
        proto.set_type(onnx::AttributeProto::INTS);
        for (const auto value : std::get<std::vector<std::int64_t>>(attribute.value)) {
            proto.add_ints(value);
        }
    }
}

void set_raw_data(onnx::TensorProto& tensor, ByteView bytes) {
    tensor.set_raw_data(bytes.data(), bytes.size());
}

bool is_aligned_float(const TensorView& tensor) {
    return tensor.dtype == DType::kF32 &&
           reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignof(float) == 0;
}

/// External data starts at multiples of this, as ONNX asks for memory mapping.
std::uint64_t aligned_size(std::uint64_t bytes) {
    constexpr std::uint64_t kAlignment = 64;
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// What the spans of an OnnxModel point into.
struct WeightStorage {
    std::optional<Weights> checkpoint;
    std::map<std::string, std::vector<float>> widened;
};

}  // namespace

struct GraphBuilder::Impl {
    onnx::ModelProto model;
    std::vector<OnnxWeight> weights;
    std::map<std::string, Value> placed;  ///< weights and constants already in the graph
    std::shared_ptr<WeightStorage> storage;
    std::vector<Error> errors;
    std::uint64_t external_bytes = 0;
    int nodes = 0;
    bool uses_ort_operators = false;

    onnx::GraphProto& graph() { return *model.mutable_graph(); }

    onnx::TensorProto& add_initializer(const std::string& name, int type, const Shape& shape) {
        auto& tensor = *graph().add_initializer();
        tensor.set_name(name);
        tensor.set_data_type(type);
        for (const auto size : shape) {
            tensor.add_dims(size);
        }
        return tensor;
    }

    /// The values of a checkpoint tensor as floats, widened at most once.
    Result<std::span<const float>> floats_of(const std::string& name, const TensorView& tensor) {
        const std::size_t count = element_count(tensor.shape);
        if (is_aligned_float(tensor)) {
            return std::span(reinterpret_cast<const float*>(tensor.bytes.data()), count);
        }
        auto [entry, is_new] = storage->widened.try_emplace(name);
        if (is_new) {
            TESSERA_ASSIGN(entry->second, to_floats(tensor));
        }
        return std::span<const float>(entry->second);
    }
};

GraphBuilder::GraphBuilder(std::string name, GraphDialect dialect, const Weights* weights)
    : dialect_(dialect), impl_(std::make_unique<Impl>()) {
    impl_->model.set_ir_version(kIrVersion);
    impl_->model.set_producer_name("tessera");
    impl_->model.set_producer_version(std::to_string(kGraphWriterVersion));
    impl_->graph().set_name(name);
    if (weights != nullptr) {
        weights_ = *weights;
    }
    impl_->storage = std::make_shared<WeightStorage>(WeightStorage{weights_, {}});
}

GraphBuilder::~GraphBuilder() = default;

Value GraphBuilder::input(
    const std::string& name, ElementType type, const std::vector<Dimension>& dimensions
) {
    set_type(*impl_->graph().add_input(), name, type, dimensions);
    return {name};
}

void GraphBuilder::output(
    const std::string& name,
    const Value& value,
    ElementType type,
    const std::vector<Dimension>& dimensions
) {
    auto& identity = *impl_->graph().add_node();
    identity.set_op_type("Identity");
    identity.set_name("output/" + name);
    identity.add_input(value.name);
    identity.add_output(name);
    set_type(*impl_->graph().add_output(), name, type, dimensions);
}

Value GraphBuilder::node(
    std::string_view operation,
    std::initializer_list<Value> inputs,
    std::initializer_list<Attribute> attributes
) {
    return node(operation, std::span(inputs.begin(), inputs.size()), attributes);
}

Value GraphBuilder::node(
    std::string_view operation,
    std::span<const Value> inputs,
    std::initializer_list<Attribute> attributes
) {
    auto& added = *impl_->graph().add_node();
    const auto separator = operation.find("::");
    const auto type =
        separator == std::string_view::npos ? operation : operation.substr(separator + 2);
    if (separator != std::string_view::npos) {
        added.set_domain(std::string(operation.substr(0, separator)));
        impl_->uses_ort_operators = true;
    }
    added.set_op_type(std::string(type));
    added.set_name(fmt::format("{}_{}", type, impl_->nodes++));
    for (const auto& value : inputs) {
        added.add_input(value.name);
    }
    for (const auto& attribute : attributes) {
        set_attribute(*added.add_attribute(), attribute);
    }
    added.add_output(added.name());
    return {added.name()};
}

bool GraphBuilder::has_weight(const std::string& name) const {
    return weights_ && weights_->find(name) != nullptr;
}

int GraphBuilder::weight_rank(const std::string& name) const {
    const auto* tensor = weights_ ? weights_->find(name) : nullptr;
    return tensor == nullptr ? -1 : static_cast<int>(tensor->shape.size());
}

Value GraphBuilder::weight(const std::string& name, const Shape& shape) {
    return external_weight(name, name, shape, shape, 0);
}

Value GraphBuilder::weight_as(const std::string& name, const Shape& stored, const Shape& seen) {
    return external_weight(name, name, stored, seen, 0);
}

Value GraphBuilder::weight_rows(
    const std::string& name, const Shape& stored, std::int64_t first, std::int64_t rows
) {
    Shape seen = stored;
    seen.front() = rows;
    const auto row_elements = static_cast<std::int64_t>(element_count(stored)) / stored.front();
    return external_weight(
        name, fmt::format("{}.rows_{}", name, first), stored, seen, first * row_elements
    );
}

Value GraphBuilder::external_weight(
    const std::string& checkpoint_name,
    const std::string& graph_name,
    const Shape& stored,
    const Shape& seen,
    std::int64_t first_element
) {
    if (const auto placed = impl_->placed.find(graph_name); placed != impl_->placed.end()) {
        return placed->second;
    }
    const Value value{graph_name};
    impl_->placed.emplace(graph_name, value);

    if (first_element == 0) {
        parameters_.push_back({checkpoint_name, stored});
    }
    if (!weights_) {
        return value;
    }
    const auto tensor = weights_->require(checkpoint_name, stored);
    if (!tensor) {
        impl_->errors.push_back(tensor.error());
        return value;
    }
    const auto floats = impl_->floats_of(checkpoint_name, *tensor);
    if (!floats) {
        impl_->errors.push_back(
            {floats.error().kind, checkpoint_name + ": " + floats.error().message}
        );
        return value;
    }
    const auto part = floats->subspan(static_cast<std::size_t>(first_element), element_count(seen));
    auto& initializer = impl_->add_initializer(graph_name, onnx::TensorProto::FLOAT, seen);
    if (part.size() <= kInlineElements) {
        set_raw_data(initializer, std::as_bytes(part));
        return value;
    }
    // Offsets are those of one file that holds the weights in this order, so that the same proto
    // serves a session over memory and an exported file.
    initializer.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto add_entry = [&](const char* key, const std::string& text) {
        auto& entry = *initializer.add_external_data();
        entry.set_key(key);
        entry.set_value(text);
    };
    add_entry("location", "weights");
    add_entry("offset", std::to_string(impl_->external_bytes));
    add_entry("length", std::to_string(part.size_bytes()));
    impl_->weights.push_back({graph_name, seen, part});
    impl_->external_bytes += aligned_size(part.size_bytes());
    return value;
}

Value GraphBuilder::constant(const std::vector<std::int64_t>& values) {
    const std::string name = fmt::format("int64[{}]", fmt::join(values, ","));
    if (impl_->placed.emplace(name, Value{name}).second) {
        auto& tensor = impl_->add_initializer(
            name, onnx::TensorProto::INT64, {static_cast<std::int64_t>(values.size())}
        );
        set_raw_data(tensor, std::as_bytes(std::span(values)));
    }
    return {name};
}

Value GraphBuilder::scalar(std::int64_t value) {
    const std::string name = fmt::format("int64({})", value);
    if (impl_->placed.emplace(name, Value{name}).second) {
        auto& tensor = impl_->add_initializer(name, onnx::TensorProto::INT64, {});
        set_raw_data(tensor, std::as_bytes(std::span(&value, 1)));
    }
    return {name};
}

Value GraphBuilder::scalar(float value) {
    const std::string name = fmt::format("float({})", value);
    if (impl_->placed.emplace(name, Value{name}).second) {
        auto& tensor = impl_->add_initializer(name, onnx::TensorProto::FLOAT, {});
        set_raw_data(tensor, std::as_bytes(std::span(&value, 1)));
    }
    return {name};
}

Value GraphBuilder::constant(const Shape& shape, const std::vector<float>& values) {
    const auto bytes = std::as_bytes(std::span(values));
    const std::string name =
        fmt::format("float[{}]#{}", fmt::join(shape, ","), FastHash().add(bytes).hex());
    if (impl_->placed.emplace(name, Value{name}).second) {
        auto& tensor = impl_->add_initializer(name, onnx::TensorProto::FLOAT, shape);
        set_raw_data(tensor, std::as_bytes(std::span(values)));
    }
    return {name};
}

Result<OnnxModel> GraphBuilder::finish() {
    if (!weights_) {
        return fail(ErrorKind::kInternal, "{} has no weights", impl_->graph().name());
    }
    if (!impl_->errors.empty()) {
        Error first = impl_->errors.front();
        if (impl_->errors.size() > 1) {
            first.message += fmt::format(" (and {} more tensors)", impl_->errors.size() - 1);
        }
        return tl::unexpected(std::move(first));
    }
    auto& standard = *impl_->model.add_opset_import();
    standard.set_domain("");
    standard.set_version(kOpset);
    if (impl_->uses_ort_operators) {
        auto& ort = *impl_->model.add_opset_import();
        ort.set_domain(std::string(kOrtDomain));
        ort.set_version(1);
    }
    OnnxModel finished;
    finished.name = impl_->graph().name();
    if (!impl_->model.SerializeToString(&finished.proto)) {
        return fail(ErrorKind::kInternal, "the graph of {} cannot be serialised", finished.name);
    }
    finished.weights = std::move(impl_->weights);
    finished.owner = impl_->storage;
    return finished;
}

}  // namespace tessera
