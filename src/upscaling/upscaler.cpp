#include "upscaling/upscaler.h"

#include "base/hash.h"
#include "imaging/resize.h"
#include "imaging/tiles.h"
#include "upscaling/pixels.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tessera {
namespace {

constexpr std::int64_t kMostPixels = std::int64_t{1} << 28U;

/// What a tile may take while a network works on it, when nothing else is said. Not what happens to
/// be free: the result would depend on it.
constexpr double kWorkingMemory = 1 << 30;
constexpr int kLargestDefaultTile = 512;

Status check(const Image& image, const UpscaleRequest& request) {
    if (!is_well_formed(image)) {
        return fail(ErrorKind::kInvalidArgument, "a picture without pixels cannot be enlarged");
    }
    if (request.width <= 0 || request.height <= 0) {
        return fail(
            ErrorKind::kInvalidArgument,
            "a picture cannot be enlarged to {}x{}",
            request.width,
            request.height
        );
    }
    if (request.tile != 0 && (request.tile < kSmallestTile || request.tile > kLargestTile)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "tiles of {} pixels are not possible; take {} to {}, or 0 for the network's own size",
            request.tile,
            kSmallestTile,
            kLargestTile
        );
    }
    if (request.overlap && *request.overlap < 0) {
        return fail(
            ErrorKind::kInvalidArgument, "tiles cannot overlap by {} pixels", *request.overlap
        );
    }
    return {};
}

/// How often a network of that scale is used for a picture that is to become `factor` times as
/// large: once at least, for a repair as well.
int passes_for(double factor, int scale) {
    int passes = 1;
    double left = factor / scale;
    while (scale > 1 && left > std::sqrt(scale)) {
        left /= scale;
        ++passes;
    }
    return passes;
}

int round_down(int value, int multiple) {
    return value / multiple * multiple;
}

TileLayout layout_for(const UpscalerNetwork& network, const UpscaleRequest& request) {
    const int multiple = network.multiple();
    TileLayout layout;
    layout.multiple = multiple;
    layout.side = request.tile;
    if (layout.side == 0) {
        const double area = kWorkingMemory / static_cast<double>(network.bytes_per_pixel());
        layout.side =
            std::clamp(static_cast<int>(std::sqrt(area)), kSmallestTile, kLargestDefaultTile);
    }
    layout.side = round_down(layout.side, multiple);
    const auto usual = network.overlap();
    layout.overlap =
        round_down(std::min(request.overlap.value_or(usual.pixels), layout.side / 3), multiple);
    // Less than usual leaves no part that is right on both sides, so all of it fades.
    layout.feather = layout.overlap >= usual.pixels ? usual.feather : layout.overlap;
    return layout;
}

}  // namespace

struct Upscaler::Loaded {
    UpscalerNetwork kind;
    std::shared_ptr<Network> network;

    [[nodiscard]] Result<Image> enlarge_tile(const Image& tile, const std::stop_token& stop) const {
        const Tensor planes = to_unit_planes(tile);
        const std::vector<Input> inputs{{"image", planes}};
        TESSERA_ASSIGN(const auto outputs, network->run(inputs, stop));
        return from_unit_planes(outputs.front());
    }
};

namespace {

/// One pass of a network: its picture, padded, and the tiles of that.
struct Pass {
    int width;
    int height;
    TileGrid grid;
};

/// The passes that lead from the picture's size to that of the request, or near it.
Result<std::vector<Pass>> plan_passes(
    const Image& image, const UpscaleRequest& request, const UpscalerNetwork& network
) {
    const TileLayout layout = layout_for(network, request);
    const double factor = std::max(
        static_cast<double>(request.width) / image.width,
        static_cast<double>(request.height) / image.height
    );
    const int scale = network.scale();
    const int multiple = network.multiple();
    std::vector<Pass> passes;
    std::int64_t width = image.width;
    std::int64_t height = image.height;
    for (int pass = passes_for(factor, scale); pass > 0; --pass) {
        if (width * height * scale * scale > kMostPixels) {
            return fail(
                ErrorKind::kExhausted,
                "enlarging {}x{} by {} needs more than {} pixels, the limit",
                width,
                height,
                scale,
                kMostPixels
            );
        }
        const auto padded = [&](std::int64_t size) {
            return static_cast<int>((size + multiple - 1) / multiple * multiple);
        };
        TESSERA_ASSIGN(auto grid, TileGrid::make(padded(width), padded(height), layout));
        passes.push_back({static_cast<int>(width), static_cast<int>(height), std::move(grid)});
        width *= scale;
        height *= scale;
    }
    return passes;
}

}  // namespace

Upscaler::Upscaler(std::string name, std::shared_ptr<const Loaded> loaded)
    : name_(std::move(name)), loaded_(std::move(loaded)) {}

Result<Upscaler> Upscaler::open(const std::filesystem::path& file, Engine& engine) {
    TESSERA_ASSIGN(auto kind, UpscalerNetwork::open(file));
    const ModelSource source{
        "upscaler", FastHash().add("upscaler").add(kind.weights().identity()).hex(), [&] {
            return kind.write(GraphDialect::kOrtCpu);
        }};
    TESSERA_ASSIGN(auto network, engine.load(source));
    return Upscaler(
        file.stem().string(),
        std::make_shared<const Loaded>(Loaded{std::move(kind), std::move(network)})
    );
}

Upscaler Upscaler::lanczos() {
    return Upscaler(kLanczosName);
}

std::optional<int> Upscaler::scale() const {
    return loaded_ == nullptr ? std::nullopt : std::optional(loaded_->kind.scale());
}

std::optional<int> Upscaler::tile_side(const UpscaleRequest& request) const {
    return loaded_ == nullptr ? std::nullopt
                              : std::optional(layout_for(loaded_->kind, request).side);
}

Result<Image> Upscaler::upscale(
    const Image& image,
    const UpscaleRequest& request,
    const TileProgress& progress,
    const std::stop_token& stop
) const {
    TESSERA_TRY(check(image, request));
    if (loaded_ == nullptr) {
        return resize(image, request.width, request.height);
    }
    if (image.channels == 4) {
        TESSERA_ASSIGN(const auto colours, upscale(colours_of(image), request, progress, stop));
        TESSERA_ASSIGN(const auto alpha, resize(alpha_of(image), request.width, request.height));
        return with_alpha(colours, alpha);
    }
    TESSERA_ASSIGN(const auto passes, plan_passes(image, request, loaded_->kind));
    std::size_t all = 0;
    for (const Pass& pass : passes) {
        all += pass.grid.count();
    }
    std::size_t done = 0;
    const auto tell = [&] {
        if (progress) {
            progress(done, all);
        }
    };
    tell();
    const int scale = loaded_->kind.scale();
    Image current = image;
    for (const Pass& pass : passes) {
        current = pad_to_multiple(std::move(current), loaded_->kind.multiple());
        TileMerger merger(pass.grid, scale, 3);
        for (std::size_t index = 0; index < pass.grid.count(); ++index) {
            TESSERA_ASSIGN(
                const auto tile,
                loaded_->enlarge_tile(cut_tile(current, pass.grid.tile(index)), stop)
            );
            merger.add(tile);
            ++done;
            tell();
        }
        current = merger.take();
        const Tile unpadded{0, 0, pass.width * scale, pass.height * scale};
        if (unpadded.width != current.width || unpadded.height != current.height) {
            current = cut_tile(current, unpadded);
        }
    }
    return resize(current, request.width, request.height);
}

}  // namespace tessera
