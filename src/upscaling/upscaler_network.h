#pragma once

#include "base/result.h"
#include "checkpoint/weights.h"
#include "models/onnx_model.h"
#include "models/rrdb_net.h"
#include "models/srvgg_net_compact.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>

namespace tessera {

/// A file of weights that was recognised, by its tensors alone, as a network that turns a picture
/// into a larger or (at scale 1) a better one.
class UpscalerNetwork {
  public:
    /// A safetensors file. kUnsupported when it is no such network, with what it is instead where
    /// that is easily known; otherwise as Weights::open.
    [[nodiscard]] static Result<UpscalerNetwork> open(const std::filesystem::path& file);

    /// "RRDBNet" or "SRVGGNetCompact".
    [[nodiscard]] const char* architecture() const;
    /// How many times wider and higher its results are; 1 to 8.
    [[nodiscard]] int scale() const;
    /// Height and width of its input are multiples of this.
    [[nodiscard]] int multiple() const;

    /// Pixels that neighbouring tiles should share so that no seam shows, and over how many of them
    /// one should fade into the other.
    struct Overlap {
        int pixels = 0;
        int feather = 0;
    };
    [[nodiscard]] Overlap overlap() const;

    /// Bytes of working memory for each pixel of a tile, about.
    [[nodiscard]] std::int64_t bytes_per_pixel() const;

    [[nodiscard]] const Weights& weights() const { return weights_; }

    /// Input `image` {batch, 3, height, width}, RGB in 0..1; output `upscaled`.
    [[nodiscard]] Result<OnnxModel> write(GraphDialect dialect) const;

  private:
    using Config = std::variant<RrdbNetConfig, SrvggNetCompactConfig>;

    UpscalerNetwork(Weights weights, Config config)
        : weights_(std::move(weights)), config_(std::move(config)) {}

    Weights weights_;
    Config config_;
};

}  // namespace tessera
