#pragma once

#include "checkpoint/weights.h"
#include "models/graph_builder.h"
#include "models/onnx_model.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tessera {

/// The upscaler of ESRGAN and Real-ESRGAN: residual blocks of densely connected convolutions, then
/// doublings by nearest neighbour and convolution. Nets that enlarge by less than their doublings
/// do begin by folding squares of pixels into channels ("pixel unshuffle"). Source: Wang et al.
/// 2018 and 2021, as RRDBNet in XPixelGroup/BasicSR.
struct RrdbNetConfig {
    /// Who named the tensors.
    enum class Names : std::uint8_t {
        kBasicSr,     ///< "body.0.rdb1.conv1": Real-ESRGAN
        kEsrgan,      ///< "RRDB_trunk.0.RDB1.conv1": ESRGAN's own repository
        kSequential,  ///< "model.1.sub.0.RDB1.conv1.0": ESRGAN's training code, "old" names
    };

    int features = 0;
    int growth = 0;  ///< channels that each dense convolution adds
    int blocks = 0;
    int doublings = 0;
    int unshuffle = 1;  ///< side of the squares that are folded into channels: 1, 2 or 4
    Names names = Names::kBasicSr;
    std::string prefix;

    /// True when the file has the tensors by which this network is known.
    [[nodiscard]] static bool recognises(const Weights& weights);

    /// From names and shapes alone. kCorrupt, kNotFound or kUnsupported when they contradict each
    /// other, when a tensor is left over, or when the network does not turn RGB into RGB.
    [[nodiscard]] static Result<RrdbNetConfig> read(const Weights& weights);

    [[nodiscard]] int scale() const { return (1 << doublings) / unshuffle; }
};

/// Input `image` {batch, 3, height, width}, RGB in 0..1, height and width multiples of unshuffle;
/// output `upscaled` {batch, 3, scale * height, scale * width}, about 0..1, not clamped.
[[nodiscard]] Result<OnnxModel> write_rrdb_net(
    const RrdbNetConfig& config, const Weights& weights, GraphDialect dialect
);

/// The tensors that it has.
[[nodiscard]] std::vector<Parameter> rrdb_net_parameters(const RrdbNetConfig& config);

}  // namespace tessera
