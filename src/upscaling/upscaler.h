#pragma once

#include "base/result.h"
#include "imaging/image.h"
#include "inference/engine.h"
#include "upscaling/upscaler_network.h"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace tessera {

/// The name of the upscaler that needs no network.
inline constexpr const char* kLanczosName = "Lanczos";

/// Tiles that a network may work on: 32 pixels are the least that leaves something beside the
/// overlap.
inline constexpr int kSmallestTile = 32;
inline constexpr int kLargestTile = 4096;

struct UpscaleRequest {
    int width = 0;  ///< of the result
    int height = 0;
    int tile = 0;  ///< side of the tiles in pixels, 32 to 4096; 0: chosen by the network's need
    std::optional<int> overlap{};  ///< of neighbouring tiles in pixels; absent: the network's own
};

/// Told after each tile, and once before the first with 0.
using TileProgress = std::function<void(std::size_t done, std::size_t all)>;

/// Enlarges pictures, by a network or by interpolation; a network of scale 1 repairs them. Cheap to
/// copy; thread-safe.
///
/// The network works on tiles, so that its memory does not grow with the picture, and is repeated
/// until what is left is less than the square root of its scale (a x2 network makes x3 in two
/// passes, a x4 network makes x5 in one); Lanczos does the rest, either way. On one engine
/// fingerprint equal request and picture give equal bytes, whatever the number of threads; another
/// tile may change bytes a little, and the default does not depend on the machine.
class Upscaler {
  public:
    /// Reads and recognises the file and loads the network. Errors as UpscalerNetwork::open and
    /// Engine::load.
    [[nodiscard]] static Result<Upscaler> open(const std::filesystem::path& file, Engine& engine);

    [[nodiscard]] static Upscaler lanczos();

    /// The file's name without its suffix, or kLanczosName.
    [[nodiscard]] const std::string& name() const { return name_; }
    /// The network's; nothing for Lanczos.
    [[nodiscard]] std::optional<int> scale() const;

    /// Alpha is enlarged by Lanczos, colours as if there were none. kInvalidArgument for a request
    /// out of range; kExhausted when the result or a step on the way has more than 2^28 pixels, or
    /// when memory runs out; kCorrupt when the network gives what is no number; kCancelled soon
    /// after a stop is asked for.
    [[nodiscard]] Result<Image> upscale(
        const Image& image,
        const UpscaleRequest& request,
        const TileProgress& progress = {},
        const std::stop_token& stop = {}
    ) const;

    /// The side of the tiles that such a request leads to; nothing for Lanczos.
    [[nodiscard]] std::optional<int> tile_side(const UpscaleRequest& request) const;

  private:
    struct Loaded;

    explicit Upscaler(std::string name, std::shared_ptr<const Loaded> loaded = nullptr);

    std::string name_;
    std::shared_ptr<const Loaded> loaded_;  ///< nullptr: Lanczos
};

}  // namespace tessera
