#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tessera {

struct PixelSize {
    int width = 0;
    int height = 0;

    [[nodiscard]] double megapixels() const { return width * 1e-6 * height; }
    bool operator==(const PixelSize&) const = default;
};

/// One run of the step loop.
struct DenoisePass {
    PixelSize size;
    int steps = 0;  ///< taken, whatever the strength
    /// Each step asks the network twice, with the prompt and with the negative one.
    bool guided = true;
};

/// The work of an upscaler's network that makes the finished picture.
struct Enlargement {
    double scale = 1.0;
    /// The most that a tile of the finished picture is wide and high.
    int tile_side = 1024;
};

/// What a JobSpec means with the models that there are; the same for each of its pictures. Made by
/// whoever knows the models, for limits and planner.
struct ResolvedJob {
    std::string recipe;                      ///< see JobPlan
    std::string affinity;                    ///< see JobPlan
    std::vector<DenoisePass> passes;         ///< in order; none for kUpscale
    PixelSize size;                          ///< of a finished picture
    std::optional<Enlargement> enlargement;  ///< always there for kUpscale
    std::vector<std::string> remarks;
};

}  // namespace tessera
