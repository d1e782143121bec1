#include "inference/small_network_test.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <cmath>
#include <random>

namespace tessera {
namespace {

using Name = std::string;
using WeightStore = std::vector<std::vector<float>>;

class GraphWriter {
  public:
    explicit GraphWriter(std::uint32_t seed) : generator_(seed) {
        model_.set_ir_version(8);
        add_opset("", 17);
        add_opset("com.microsoft", 1);
        model_.mutable_graph()->set_name("small");
    }

    void add_opset(const Name& domain, std::int64_t version) {
        auto* opset = model_.add_opset_import();
        opset->set_domain(domain);
        opset->set_version(version);
    }

    void input(const Name& name, const std::vector<Name>& sizes) {
        describe(*model_.mutable_graph()->add_input(), name, sizes);
    }
    void output(const Name& name, const std::vector<Name>& sizes) {
        describe(*model_.mutable_graph()->add_output(), name, sizes);
    }

    Name weight(const Shape& shape, float scale, float offset = 0.0F) {
        const Name name = fresh();
        auto* tensor = model_.mutable_graph()->add_initializer();
        tensor->set_name(name);
        tensor->set_data_type(onnx::TensorProto::FLOAT);
        for (const std::int64_t size : shape) {
            tensor->add_dims(size);
        }
        tensor->set_data_location(onnx::TensorProto::EXTERNAL);
        auto* location = tensor->add_external_data();
        location->set_key("location");
        location->set_value("weights");

        std::vector<float> values(element_count(shape));
        for (float& value : values) {
            const auto steps = static_cast<float>(generator_() >> 8U);
            value = offset + scale * (steps / static_cast<float>(1U << 22U) - 1.0F);
        }
        store_->push_back(std::move(values));
        weights_.push_back({name, shape, store_->back()});
        return name;
    }

    Name integers(const std::vector<std::int64_t>& values) {
        const Name name = fresh();
        auto* tensor = model_.mutable_graph()->add_initializer();
        tensor->set_name(name);
        tensor->set_data_type(onnx::TensorProto::INT64);
        tensor->add_dims(static_cast<std::int64_t>(values.size()));
        for (const std::int64_t value : values) {
            tensor->add_int64_data(value);
        }
        return name;
    }

    Name node(
        const Name& type,
        const std::vector<Name>& inputs,
        const std::vector<std::pair<Name, std::vector<std::int64_t>>>& attributes = {},
        const Name& domain = "",
        const Name& result = ""
    ) {
        auto* node = model_.mutable_graph()->add_node();
        const Name name = result.empty() ? fresh() : result;
        node->set_name(name);
        node->set_op_type(type);
        node->set_domain(domain);
        for (const Name& input : inputs) {
            node->add_input(input);
        }
        node->add_output(name);
        for (const auto& [key, values] : attributes) {
            auto* attribute = node->add_attribute();
            attribute->set_name(key);
            if (values.size() == 1) {
                attribute->set_type(onnx::AttributeProto::INT);
                attribute->set_i(values.front());
                continue;
            }
            attribute->set_type(onnx::AttributeProto::INTS);
            for (const std::int64_t value : values) {
                attribute->add_ints(value);
            }
        }
        return name;
    }

    Name conv(const Name& x, std::int64_t from, std::int64_t to, const Name& result = "") {
        const float scale = 1.0F / std::sqrt(static_cast<float>(9 * from));
        return node(
            "Conv",
            {x, weight({to, from, 3, 3}, scale), weight({to}, 0.1F)},
            {{"kernel_shape", {3, 3}}, {"pads", {1, 1, 1, 1}}},
            "",
            result
        );
    }
    Name silu(const Name& x) { return node("Mul", {x, node("Sigmoid", {x})}); }
    Name group_norm(const Name& x, std::int64_t channels) {
        constexpr std::int64_t kGroups = 8;
        const Name shape = node("Shape", {x});
        Name y = node("Reshape", {x, integers({0, kGroups, -1})});
        y = node(
            "InstanceNormalization", {y, weight({kGroups}, 0.0F, 1.0F), weight({kGroups}, 0.0F)}
        );
        y = node("Mul", {node("Reshape", {y, shape}), weight({channels, 1, 1}, 0.2F, 1.0F)});
        return node("Add", {y, weight({channels, 1, 1}, 0.1F)});
    }
    Name linear(const Name& x, std::int64_t from, std::int64_t to) {
        const float scale = 1.0F / std::sqrt(static_cast<float>(from));
        return node("Add", {node("MatMul", {x, weight({from, to}, scale)}), weight({to}, 0.1F)});
    }
    Name gemm(const Name& x, std::int64_t from, std::int64_t to) {
        const float scale = 1.0F / std::sqrt(static_cast<float>(from));
        return node("Gemm", {x, weight({to, from}, scale), weight({to}, 0.1F)}, {{"transB", {1}}});
    }
    Name layer_norm(const Name& x, std::int64_t width) {
        return node(
            "LayerNormalization",
            {x, weight({width}, 0.1F, 1.0F), weight({width}, 0.1F)},
            {{"axis", {-1}}}
        );
    }
    Name attention(
        const Name& x, const Name& context, std::int64_t width, std::int64_t context_width
    ) {
        const Name mixed = node(
            "MultiHeadAttention",
            {linear(x, width, width),
             linear(context, context_width, width),
             linear(context, context_width, width)},
            {{"num_heads", {4}}},
            "com.microsoft"
        );
        return linear(mixed, width, width);
    }

    onnx::ModelProto& proto() { return model_; }

    OnnxModel finish() {
        OnnxModel finished;
        finished.name = "small";
        finished.proto = model_.SerializeAsString();
        finished.weights = std::move(weights_);
        finished.owner = store_;
        return finished;
    }

  private:
    Name fresh() { return fmt::format("v{}", count_++); }

    static void describe(
        onnx::ValueInfoProto& value, const Name& name, const std::vector<Name>& sizes
    ) {
        value.set_name(name);
        auto* type = value.mutable_type()->mutable_tensor_type();
        type->set_elem_type(onnx::TensorProto::FLOAT);
        for (const Name& size : sizes) {
            auto* dimension = type->mutable_shape()->add_dim();
            if (size.find_first_not_of("0123456789") == Name::npos) {
                dimension->set_dim_value(std::stoll(size));
            } else {
                dimension->set_dim_param(size);
            }
        }
    }

    onnx::ModelProto model_;
    std::minstd_rand generator_;  // 31 bits; large networks want a fast one
    std::shared_ptr<WeightStore> store_ = std::make_shared<WeightStore>();
    std::vector<OnnxWeight> weights_;
    int count_ = 0;
};

Name transformer(GraphWriter& graph, const Name& x, std::int64_t width) {
    const Name shape = graph.node("Shape", {x});
    const Name flat = graph.node("Reshape", {x, graph.integers({0, width, -1})});
    Name y = graph.node("Transpose", {flat}, {{"perm", {0, 2, 1}}});
    const Name self = graph.layer_norm(y, width);
    y = graph.node("Add", {y, graph.attention(self, self, width, width)});
    y = graph.node("Add", {y, graph.attention(graph.layer_norm(y, width), "context", width, 48)});
    const Name wide = graph.silu(graph.linear(graph.layer_norm(y, width), width, 4 * width));
    y = graph.node("Add", {y, graph.linear(wide, 4 * width, width)});
    y = graph.node("Transpose", {y}, {{"perm", {0, 2, 1}}});
    return graph.node("Reshape", {y, shape});
}

}  // namespace

OnnxModel small_network(const SmallNetwork& size) {
    GraphWriter graph(size.seed);
    graph.input("sample", {"batch", "4", "height", "width"});
    graph.input("time", {"batch", "64"});
    graph.input("context", {"batch", "length", "48"});
    const std::int64_t channels = size.channels;
    Name x = graph.conv("sample", 4, channels);
    Name time = graph.gemm(graph.silu(graph.gemm("time", 64, 96)), 96, channels);
    time = graph.node("Reshape", {time, graph.integers({0, channels, 1, 1})});
    for (int block = 0; block < size.blocks; ++block) {
        Name y = graph.conv(graph.silu(graph.group_norm(x, channels)), channels, channels);
        y = graph.node("Add", {y, time});
        x = transformer(graph, graph.node("Add", {x, y}), channels);
    }
    graph.conv(graph.silu(graph.group_norm(x, channels)), channels, 4, "result");
    graph.output("result", {"batch", "4", "height", "width"});
    return graph.finish();
}

ModelSource small_source(const SmallNetwork& size) {
    return {
        .name = "small",
        .content_key = fmt::format("{}/{}/{}", size.channels, size.blocks, size.seed),
        .build = [size]() -> Result<OnnxModel> { return small_network(size); },
    };
}

OnnxModel endless_network() {
    GraphWriter graph(1);
    graph.input("x", {"n"});
    graph.output("y", {"n"});
    auto& proto = *graph.proto().mutable_graph();
    auto* trips = proto.add_initializer();
    trips->set_name("trips");
    trips->set_data_type(onnx::TensorProto::INT64);
    trips->add_int64_data(std::int64_t{1} << 60U);
    auto* go_on = proto.add_initializer();
    go_on->set_name("go_on");
    go_on->set_data_type(onnx::TensorProto::BOOL);
    go_on->add_int32_data(1);
    graph.node("Loop", {"trips", "go_on", "x"}, {}, "", "y");

    auto* attribute = proto.mutable_node(0)->add_attribute();
    attribute->set_name("body");
    attribute->set_type(onnx::AttributeProto::GRAPH);
    auto& body = *attribute->mutable_g();
    body.set_name("body");
    const auto declare = [](onnx::ValueInfoProto& value, const Name& name, int type, bool scalar) {
        value.set_name(name);
        auto* tensor = value.mutable_type()->mutable_tensor_type();
        tensor->set_elem_type(type);
        auto* shape = tensor->mutable_shape();
        if (!scalar) {
            shape->add_dim()->set_dim_param("n");
        }
    };
    declare(*body.add_input(), "step", onnx::TensorProto::INT64, true);
    declare(*body.add_input(), "condition", onnx::TensorProto::BOOL, true);
    declare(*body.add_input(), "before", onnx::TensorProto::FLOAT, false);
    declare(*body.add_output(), "same", onnx::TensorProto::BOOL, true);
    declare(*body.add_output(), "after", onnx::TensorProto::FLOAT, false);
    const auto add_node = [&body](const Name& type, const Name& from, const Name& to) {
        auto* node = body.add_node();
        node->set_op_type(type);
        node->add_input(from);
        node->add_output(to);
    };
    add_node("Identity", "condition", "same");
    add_node("Sin", "before", "after");
    return graph.finish();
}

OnnxModel single_operator(const std::string& domain, const std::string& name) {
    GraphWriter graph(1);
    if (!domain.empty()) {
        graph.add_opset(domain, 1);
    }
    graph.input("x", {"n"});
    graph.output("y", {"n"});
    graph.node(name, {"x"}, {}, domain, "y");
    return graph.finish();
}

Tensor random_rows(Shape shape, std::uint32_t first_row) {
    Tensor tensor(std::move(shape));
    const auto rows = static_cast<std::size_t>(tensor.shape.front());
    const std::size_t width = tensor.values.size() / rows;
    for (std::size_t row = 0; row < rows; ++row) {
        std::mt19937 generator(first_row + static_cast<std::uint32_t>(row) + 100);
        std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
        for (std::size_t i = 0; i < width; ++i) {
            tensor.values[row * width + i] = uniform(generator);
        }
    }
    return tensor;
}

}  // namespace tessera
