// upscale_bench FOLDER: x4 of 512x512 by a network of Real-ESRGAN's size (RRDBNet, 64 features, 23
// blocks, growth 32) with random weights, which it writes to FOLDER. First the ceiling: every
// convolution of the network, alone and at the shape of the tiles. Then the whole picture, as time
// per tile and as a fraction of that ceiling, and peak memory; then some tiles of 1008x1008, whose
// peak must be the same but for the pictures. All in one run, since the machine may be shared: its
// best tile is what it can do, its median what it did.
#include "checkpoint/safetensors_writer.h"
#include "imaging/tiles.h"
#include "operations.h"
#include "upscaling/upscaler.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace tessera {
namespace {

using Clock = std::chrono::steady_clock;

RrdbNetConfig real_esrgan_x4() {
    RrdbNetConfig config;
    config.features = 64;
    config.growth = 32;
    config.blocks = 23;
    config.doublings = 2;
    return config;
}

Status write_random_network(const std::filesystem::path& file, const RrdbNetConfig& config) {
    const auto parameters = rrdb_net_parameters(config);
    std::size_t largest = 0;
    for (const auto& parameter : parameters) {
        largest = std::max(largest, element_count(parameter.shape));
    }
    std::vector<float> values(largest);
    std::uint32_t state = 1;
    for (float& value : values) {
        state = state * 1664525U + 1013904223U;
        value = (static_cast<float>(state >> 8U) / 16777216.0F - 0.5F) * 0.04F;
    }
    std::vector<NamedTensor> tensors;
    for (const auto& [name, shape] : parameters) {
        const auto window = std::span(values).first(element_count(shape));
        tensors.push_back({name, {DType::kF32, shape, std::as_bytes(window)}});
    }
    return write_safetensors(file, tensors);
}

/// All convolutions of the network on one tile.
OperationCounts operations_of(const RrdbNetConfig& config, int side) {
    OperationCounts counts;
    const auto conv = [&](int in, int out, int times = 1) {
        counts[{OperationClass::kConv, 1, in, out, 3, 1, side, side}] += times;
    };
    const int dense_blocks = 3 * config.blocks;
    conv(3, config.features);
    for (int known = 0; known < 4; ++known) {
        conv(config.features + known * config.growth, config.growth, dense_blocks);
    }
    conv(config.features + 4 * config.growth, config.features, dense_blocks);
    conv(config.features, config.features);
    for (int doubling = 0; doubling < config.doublings; ++doubling) {
        side *= 2;
        conv(config.features, config.features);
    }
    conv(config.features, config.features);
    conv(config.features, 3);
    return counts;
}

struct Ceiling {
    double seconds = 0.0;
    double flop = 0.0;
};

Result<Ceiling> measure_ceiling(
    const OperationCounts& operations, Engine& engine, const std::filesystem::path& scratch
) {
    Ceiling ceiling;
    for (const auto& [operation, count] : operations) {
        TESSERA_ASSIGN(const double seconds, measure_operation(operation, engine, scratch));
        ceiling.seconds += seconds * count;
        ceiling.flop += operation.flop() * count;
    }
    return ceiling;
}

Image picture(int side) {
    Image image{side, side, 3, {}};
    for (int at = 0; at < 3 * side * side; ++at) {
        image.pixels.push_back(static_cast<std::uint8_t>(at * 7 % 251));
    }
    return image;
}

/// MiB of private memory now.
double private_memory() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("RssAnon:")) {
            return std::stod(line.substr(std::string_view("RssAnon:").size())) / 1024.0;
        }
    }
    return 0.0;
}

struct Run {
    int side = 0;
    std::size_t tiles = 0;
    std::vector<double> seconds;  ///< of each tile, sorted
    double whole_seconds = 0.0;
    double peak_memory = 0.0;  ///< MiB, with the pictures
};

/// With these, pictures of both sides are cut into tiles of 182 pixels exactly, so that nothing but
/// the pictures differs in memory. 182 is also what the network's own size gives for 512.
constexpr int kSide = 512;
constexpr int kLargerSide = 1008;
constexpr int kTile = 184;

/// Stops after `most` tiles.
Result<Run> upscale(const Upscaler& upscaler, int side, std::size_t most) {
    Run run;
    run.side = side;
    std::stop_source stop;
    const auto start = Clock::now();
    auto last = start;
    const auto tell = [&](std::size_t done, std::size_t all) {
        const auto now = Clock::now();
        if (done > 0) {
            run.seconds.push_back(std::chrono::duration<double>(now - last).count());
        }
        last = now;
        run.tiles = all;
        // The engine keeps what its largest tile took, so nothing is missed between two looks.
        run.peak_memory = std::max(run.peak_memory, private_memory());
        fmt::print(stderr, "\r{}x{}: tile {} of {} ", side, side, done, all);
        if (done == most) {
            stop.request_stop();
        }
    };
    const Image image = picture(side);
    const auto result =
        upscaler.upscale(image, {4 * side, 4 * side, kTile}, tell, stop.get_token());
    fmt::print(stderr, "\r{:40}\r", "");
    if (!result && result.error().kind != ErrorKind::kCancelled) {
        return tl::unexpected(result.error());
    }
    run.whole_seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::sort(run.seconds.begin(), run.seconds.end());
    return run;
}

void print_memory(const Run& run) {
    constexpr double kMiB = 1024.0 * 1024.0;
    const double pictures = 3.0 * 17.0 * run.side * run.side / kMiB;
    fmt::print(
        "  peak memory of {0}x{0}: {1:.0f} MiB, {2:.0f} MiB of it pictures, {3:.0f} MiB else\n",
        run.side,
        run.peak_memory,
        pictures,
        run.peak_memory - pictures
    );
}

Status run(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    const auto config = real_esrgan_x4();
    const auto file = folder / "rrdb-random-x4.safetensors";
    TESSERA_TRY(write_random_network(file, config));
    TESSERA_ASSIGN(const auto engine, Engine::create({}));
    fmt::print("engine {}\n", engine->fingerprint().text());
    TESSERA_ASSIGN(const auto upscaler, Upscaler::open(file, *engine));
    const auto overlap = UpscalerNetwork::open(file).value().overlap().pixels;
    TESSERA_ASSIGN(const auto grid, TileGrid::make(kSide, kSide, {kTile, overlap, 0, 1}));
    const int side = grid.tile(0).width;

    TESSERA_ASSIGN(auto warm_up, upscale(upscaler, kSide, 1));
    const auto operations = operations_of(config, side);
    const auto scratch = folder / "operation.safetensors";
    TESSERA_ASSIGN(const auto before, measure_ceiling(operations, *engine, scratch));
    TESSERA_ASSIGN(const auto small, upscale(upscaler, kSide, grid.count() + 1));
    TESSERA_ASSIGN(const auto after, measure_ceiling(operations, *engine, scratch));

    const double best = small.seconds.front();
    const double median = small.seconds[small.seconds.size() / 2];
    const double ceiling = std::min(before.seconds, after.seconds);
    fmt::print(
        "x4 of {0}x{0}: {1} tiles of {2}x{2}, {3:.1f} s\n",
        kSide,
        small.tiles,
        side,
        small.whole_seconds
    );
    fmt::print(
        "  ceiling (convolutions alone) {:8.1f} GFLOP {:8.3f} s a tile, {:.1f} GFLOP/s\n",
        before.flop / 1e9,
        ceiling,
        before.flop / ceiling / 1e9
    );
    for (const auto& [what, seconds] : {std::pair("median", median), std::pair("best", best)}) {
        fmt::print(
            "  tile, {:<22} {:8.1f} GFLOP {:8.3f} s a tile, {:.1f} GFLOP/s, {:.1f} % of the "
            "ceiling\n",
            what,
            before.flop / 1e9,
            seconds,
            before.flop / seconds / 1e9,
            100.0 * ceiling / seconds
        );
    }
    const double tiled_area = static_cast<double>(small.tiles) * side * side;
    fmt::print(
        "  of the work {:.1f} % is for pixels that tiles share\n",
        100.0 * (1.0 - kSide * kSide / tiled_area)
    );
    print_memory(small);
    TESSERA_ASSIGN(const auto large, upscale(upscaler, kLargerSide, 3));
    print_memory(large);
    return {};
}

}  // namespace
}  // namespace tessera

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: upscale_bench FOLDER\n");
        return 2;
    }
    if (const auto status = tessera::run(argv[1]); !status) {
        fmt::print(stderr, "upscale_bench: {}\n", status.error().message);
        return 1;
    }
    return 0;
}
