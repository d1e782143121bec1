#include "models/resnet_block.h"

namespace tessera {

Value resnet_block(
    GraphBuilder& graph,
    const Value& x,
    const Value& activated_time,
    const std::string& name,
    const ResnetBlock& block
) {
    const int in = block.in_channels;
    const int out = block.out_channels;
    const auto normal_act = [&](const Value& input, const char* norm, int channels) {
        const auto normal =
            group_norm(graph, input, name + norm, channels, block.groups, block.epsilon);
        return activate(graph, normal, block.activation);
    };
    auto hidden = conv2d(graph, normal_act(x, ".norm1", in), name + ".conv1", same_conv(in, out));
    if (block.time_channels > 0) {
        const auto time =
            linear(graph, activated_time, name + ".time_emb_proj", block.time_channels, out);
        const auto per_channel = graph.node("Reshape", {time, graph.constant({-1, out, 1, 1})});
        hidden = add(graph, hidden, per_channel);
    }
    hidden = conv2d(graph, normal_act(hidden, ".norm2", out), name + ".conv2", same_conv(out, out));
    const auto shortcut =
        in == out ? x : conv2d(graph, x, name + ".conv_shortcut", same_conv(in, out, 1));
    auto sum = add(graph, shortcut, hidden);
    if (block.output_scale == 1.0F) {
        return sum;
    }
    return graph.node("Div", {sum, graph.scalar(block.output_scale)});
}

}  // namespace tessera
