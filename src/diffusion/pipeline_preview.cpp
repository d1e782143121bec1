#include "diffusion/pipeline_preview.h"

#include "base/file.h"
#include "diffusion/philox.h"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace tessera {

namespace {

/// Fields of 16 x 16 latents, so that a decoder's normalisation sees several levels of brightness.
constexpr std::int64_t kFields = 8;
constexpr std::int64_t kSide = 16;

/// Adds noise of `cells` cells a side, drawn out linearly to kSide.
void add_smooth_noise(PhiloxRandom& random, std::int64_t cells, std::span<float> field) {
    const std::int64_t knots = cells + 1;
    std::vector<float> grid(static_cast<std::size_t>(knots * knots));
    random.randn(grid);
    const std::int64_t step = kSide / cells;
    const auto share = [&](std::int64_t at) {
        return static_cast<float>(at % step) / static_cast<float>(step);
    };
    for (std::int64_t y = 0; y < kSide; ++y) {
        for (std::int64_t x = 0; x < kSide; ++x) {
            const float* knot = &grid[static_cast<std::size_t>(y / step * knots + x / step)];
            const float top = std::lerp(knot[0], knot[1], share(x));
            const float bottom = std::lerp(knot[knots], knot[knots + 1], share(x));
            field[static_cast<std::size_t>(y * kSide + x)] += std::lerp(top, bottom, share(y));
        }
    }
}

/// Always the same latents: smooth at several scales, as pictures are. Their deviation is a little
/// below that of pictures' latents, so that few pixels leave the range that can be shown.
Tensor made_up_latents(std::int64_t channels) {
    constexpr double kDeviation = 0.7;
    Tensor latents({kFields, channels, kSide, kSide});
    PhiloxRandom random(0);
    constexpr auto kPlane = static_cast<std::size_t>(kSide * kSide);
    for (std::size_t first = 0; first < latents.values.size(); first += kPlane) {
        for (std::int64_t cells = 1; cells < kSide; cells *= 2) {
            add_smooth_noise(random, cells, std::span(latents.values).subspan(first, kPlane));
        }
    }
    double squares = 0.0;
    for (const float value : latents.values) {
        squares += static_cast<double>(value) * static_cast<double>(value);
    }
    const double deviation = std::sqrt(squares / static_cast<double>(latents.values.size()));
    for (float& value : latents.values) {
        value *= static_cast<float>(kDeviation / deviation);
    }
    return latents;
}

Result<LatentPreview> read_kept(const std::filesystem::path& path, std::size_t channels) {
    constexpr std::uint64_t kLimit = 64 * 1024;
    TESSERA_ASSIGN(const auto content, read_file(path, kLimit));
    return load_latent_preview(as_bytes(content), channels);
}

}  // namespace

Result<LatentPreview> preview_of(PipelineModel& model, const std::stop_token& stop) {
    const auto& vae = model.info().vae;
    TESSERA_ASSIGN(const auto key, model.vae_key());
    const auto& folder = model.engine().cache_folder();
    const auto path = folder / ("preview-" + key);
    if (!folder.empty()) {
        if (auto kept = read_kept(path, static_cast<std::size_t>(vae.latent_channels))) {
            return kept;
        }
    }
    const Tensor latents = made_up_latents(vae.latent_channels);
    TESSERA_ASSIGN(const auto decoded, model.decode(latents, stop));
    TESSERA_ASSIGN(auto preview, fit_latent_preview(latents, decoded, vae.downscale()));
    if (!folder.empty()) {
        std::error_code ignored;
        std::filesystem::create_directories(folder, ignored);
        (void)write_file_atomically(path, save(preview));
    }
    return preview;
}

}  // namespace tessera
