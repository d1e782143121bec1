#pragma once

#include "checkpoint/weights.h"
#include "models/graph_builder.h"
#include "models/onnx_model.h"

#include <string>
#include <vector>

namespace tessera {

/// The small upscaler of Real-ESRGAN: a plain stack of convolutions, whose last channels become
/// pixels and are added to the input enlarged by nearest neighbour. Scale 1 repairs and keeps the
/// size. Source: Wang et al. 2021, as SRVGGNetCompact in xinntao/Real-ESRGAN.
struct SrvggNetCompactConfig {
    int features = 0;
    int convs = 0;  ///< between the first and the last
    int scale = 1;
    bool prelu = true;  ///< learned slopes, one a channel; else leaky ReLU with slope 0.1
    std::string prefix;

    /// True when the file has the tensors by which this network is known.
    [[nodiscard]] static bool recognises(const Weights& weights);

    /// From names and shapes alone. kCorrupt, kNotFound or kUnsupported when they contradict each
    /// other, when a tensor is left over, or when the network does not turn RGB into RGB.
    [[nodiscard]] static Result<SrvggNetCompactConfig> read(const Weights& weights);

    /// How far a pixel of the input reaches, in each direction: pixels farther than that from a
    /// tile's edge come out as if there were no tile.
    [[nodiscard]] int reach() const { return convs + 2; }
};

/// Input `image` {batch, 3, height, width}, RGB in 0..1; output `upscaled` {batch, 3,
/// scale * height, scale * width}, about 0..1, not clamped.
[[nodiscard]] Result<OnnxModel> write_srvgg_net_compact(
    const SrvggNetCompactConfig& config, const Weights& weights, GraphDialect dialect
);

/// The tensors that it has.
[[nodiscard]] std::vector<Parameter> srvgg_net_compact_parameters(
    const SrvggNetCompactConfig& config
);

}  // namespace tessera
