#pragma once

#include "base/result.h"
#include "checkpoint/weights.h"
#include "models/graph_builder.h"

#include <span>
#include <string>
#include <string_view>

namespace tessera {

/// The tensors of an upscaler's checkpoint, which has no config.json: the architecture is read off
/// their names and shapes. Published files may keep them below "params_ema." or "params.", as the
/// training state that they were cut from did; of both, the averaged ones count.
class UpscalerTensors {
  public:
    explicit UpscalerTensors(const Weights& weights);

    /// "params_ema.", "params." or empty: what stands before every name of the network.
    [[nodiscard]] const std::string& prefix() const { return prefix_; }

    /// Names are without the prefix here.
    [[nodiscard]] bool has(std::string_view name) const;

    /// The shape {out, in, 3, 3} of a convolution's weights. kNotFound when there are none,
    /// kCorrupt when they are no 3x3 convolution of 1 to 4096 channels.
    struct Channels {
        int in = 0;
        int out = 0;
    };
    [[nodiscard]] Result<Channels> conv_channels(std::string_view conv) const;

    /// Holds the file against the tensors that the network has. kNotFound or kCorrupt as
    /// Weights::require; kUnsupported with the first tensor below the prefix that is left over:
    /// then the file is of another architecture, and leaving the tensor out would give wrong
    /// pictures.
    [[nodiscard]] Status check_complete(
        std::string_view architecture, std::span<const Parameter> parameters
    ) const;

  private:
    Weights weights_;
    std::string prefix_;
};

}  // namespace tessera
