#include "upscaling/upscaler.h"

#include "checkpoint/temporary_folder_test.h"
#include "imaging/resize.h"
#include "imaging/testing_test.h"
#include "upscaling/pixels.h"
#include "upscaling/random_upscaler_test.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace tessera {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const fs::path kShippedX2 = fs::path(TESSERA_WEIGHTS) / "tessera-tiny-upscaler-x2.safetensors";
const fs::path kGoldens = fs::path(TESSERA_TEST_DATA) / "upscaler";

Image gradient(int width, int height) {
    Image image{width, height, 3, {}};
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            for (const int value : {40 + x * 160 / width, 40 + y * 160 / height, 120}) {
                image.pixels.push_back(static_cast<std::uint8_t>(value));
            }
        }
    }
    return image;
}

class Upscaling : public TemporaryFolderTest {
  protected:
    static Upscaler open(const fs::path& file, int threads = 2) {
        EngineOptions options;
        options.threads = threads;
        const auto engine = Engine::create(options).value();
        auto upscaler = Upscaler::open(file, *engine);
        EXPECT_TRUE(upscaler) << upscaler.error().message;
        return *std::move(upscaler);
    }
    static Image upscale(
        const Upscaler& upscaler, const Image& image, const UpscaleRequest& request
    ) {
        auto result = upscaler.upscale(image, request);
        EXPECT_TRUE(result) << result.error().message;
        return result.value_or(Image());
    }
    static std::vector<std::pair<std::size_t, std::size_t>> told(
        const Upscaler& upscaler, const Image& image, const UpscaleRequest& request
    ) {
        std::vector<std::pair<std::size_t, std::size_t>> calls;
        const auto progress = [&](std::size_t done, std::size_t all) {
            calls.emplace_back(done, all);
        };
        EXPECT_TRUE(upscaler.upscale(image, request, progress));
        return calls;
    }
    fs::path random_srvgg(int scale, int convs) const {
        SrvggNetCompactConfig config;
        config.features = 16;
        config.convs = convs;
        config.scale = scale;
        const auto file = folder_ / fmt::format("random-x{}.safetensors", scale);
        write_random_upscaler(file, srvgg_net_compact_parameters(config), 1);
        return file;
    }
    fs::path random_rrdb(int doublings, int unshuffle, int features = 16) const {
        RrdbNetConfig config;
        config.features = features;
        config.growth = features;
        config.blocks = 1;
        config.doublings = doublings;
        config.unshuffle = unshuffle;
        const auto file = folder_ / fmt::format("rrdb-{}-{}.safetensors", doublings, unshuffle);
        write_random_upscaler(file, rrdb_net_parameters(config), 1);
        return file;
    }
};

TEST_F(Upscaling, TheShippedNetworkStaysNearLanczosOnASmoothGradient) {
    const Upscaler upscaler = open(kShippedX2);
    EXPECT_EQ(upscaler.name(), "tessera-tiny-upscaler-x2");
    EXPECT_EQ(upscaler.scale(), 2);
    const Image small = gradient(64, 48);
    const Image large = upscale(upscaler, small, {128, 96});
    EXPECT_LT(mean_difference(large, resize(small, 128, 96).value()), 2.0);
}

TEST_F(Upscaling, ByLanczosIsResizing) {
    const Image image = test_image(30, 20, 4);
    const Upscaler lanczos = Upscaler::lanczos();
    EXPECT_EQ(lanczos.name(), "Lanczos");
    EXPECT_EQ(lanczos.scale(), std::nullopt);
    EXPECT_EQ(upscale(lanczos, image, {75, 50}), resize(image, 75, 50).value());
}

TEST_F(Upscaling, InTilesIsExactWhereTheNetworksReachIsSmall) {
    // 21 pixels are shared, 10 on each side of the cut: as far as a pixel reaches.
    const Upscaler upscaler = open(kShippedX2);
    const Image image = test_image(150, 130, 3);
    const Image whole = upscale(upscaler, image, {300, 260, 512});
    for (const int tile : {64, 80, 128}) {
        const Image tiled = upscale(upscaler, image, {300, 260, tile});
        // Sums in another order may round another way.
        EXPECT_LE(largest_difference(tiled, whole), 1) << tile;
        EXPECT_LT(mean_difference(tiled, whole), 1e-3) << tile;
    }
}

TEST_F(Upscaling, InSmallTilesHasNoSeams) {
    // Too small for an exact overlap: the neighbours fade into each other.
    const Upscaler upscaler = open(kShippedX2);
    const Image image = gradient(100, 90);
    const Image whole = upscale(upscaler, image, {200, 180, 512});
    const Image tiled = upscale(upscaler, image, {200, 180, 32});
    EXPECT_LE(largest_difference(tiled, whole), 3);
}

TEST_F(Upscaling, GivesTheSameBytesForEveryNumberOfThreads) {
    const auto rrdb = random_rrdb(2, 1);
    const Image image = test_image(70, 60, 3);
    const UpscaleRequest request{280, 240, 48};
    std::vector<Image> results;
    for (const int threads : {1, 2, 3}) {
        results.push_back(upscale(open(rrdb, threads), image, request));
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
}

TEST_F(Upscaling, RepeatsTheNetworkAndEndsWithLanczos) {
    const Upscaler upscaler = open(random_srvgg(2, 2));
    const Image image = test_image(20, 16, 3);
    const Image x2 = upscale(upscaler, image, {40, 32});
    const Image x4 = upscale(upscaler, image, {80, 64});
    EXPECT_EQ(x4, upscale(upscaler, x2, {80, 64}));
    EXPECT_EQ(upscale(upscaler, image, {50, 41}), resize(x2, 50, 41).value());
    EXPECT_EQ(upscale(upscaler, image, {60, 48}), resize(x4, 60, 48).value());
    EXPECT_EQ(upscale(upscaler, image, {30, 24}), resize(x2, 30, 24).value());
}

TEST_F(Upscaling, RepairsOnceAtScaleOne) {
    const Upscaler upscaler = open(random_srvgg(1, 2));
    const Image image = test_image(40, 30, 3);
    const Image repaired = upscale(upscaler, image, {40, 30});
    EXPECT_NE(repaired, image);
    EXPECT_EQ(upscale(upscaler, image, {80, 60}), resize(repaired, 80, 60).value());
    EXPECT_THAT(
        told(upscaler, image, {400, 300}), ElementsAre(std::pair(0U, 1U), std::pair(1U, 1U))
    );
}

TEST_F(Upscaling, TellsOfEveryTileOfEveryPass) {
    const Upscaler upscaler = open(random_srvgg(2, 0));
    const Image image = test_image(60, 30, 3);
    // Three tiles side by side; in the second pass, of 120 x 60 pixels, three rows of five.
    const auto calls = told(upscaler, image, {240, 120, 32, 8});
    const std::size_t all = calls.front().second;
    ASSERT_EQ(calls.size(), all + 1);
    EXPECT_EQ(all, 3U + 5U * 3U);
    for (std::size_t done = 0; done <= all; ++done) {
        EXPECT_EQ(calls[done], std::pair(done, all));
    }
}

TEST_F(Upscaling, TakesPicturesOfAnySizeWhereTheNetworkFoldsSquares) {
    const Upscaler x2 = open(random_rrdb(2, 2));
    EXPECT_EQ(x2.scale(), 2);
    const Upscaler x1 = open(random_rrdb(2, 4));
    EXPECT_EQ(x1.scale(), 1);
    for (const auto& [width, height] : {std::pair(1, 1), std::pair(7, 50), std::pair(101, 33)}) {
        const Image image = test_image(width, height, 3);
        const Image large = upscale(x2, image, {2 * width, 2 * height, 32});
        EXPECT_EQ(large.width, 2 * width);
        EXPECT_EQ(large.height, 2 * height);
        EXPECT_EQ(upscale(x1, image, {width, height, 48}).width, width);
    }
}

TEST_F(Upscaling, KeepsAlpha) {
    const Upscaler upscaler = open(kShippedX2);
    const Image image = test_image(40, 30, 4);
    const Image large = upscale(upscaler, image, {80, 60});
    ASSERT_EQ(large.channels, 4);
    const Image colours = upscale(upscaler, colours_of(image), {80, 60});
    EXPECT_EQ(colours_of(large), colours);
    EXPECT_EQ(alpha_of(large), resize(alpha_of(image), 80, 60).value());
}

TEST_F(Upscaling, ComputesTheSameInBothDialects) {
    // Wide enough for the blocked layout of ONNX Runtime's convolutions and for its fusions.
    for (const auto& file : {random_rrdb(2, 1, 32), random_rrdb(1, 2, 32), random_srvgg(4, 3)}) {
        const auto network = UpscalerNetwork::open(file);
        ASSERT_TRUE(network) << network.error().message;
        const auto engine = Engine::create({}).value();
        std::vector<Tensor> results;
        const Tensor image = to_unit_planes(test_image(36, 28, 3));
        for (const GraphDialect dialect : {GraphDialect::kOrtCpu, GraphDialect::kOnnx}) {
            const auto loaded =
                engine->load({"upscaler", "", [&] { return network->write(dialect); }});
            ASSERT_TRUE(loaded) << loaded.error().message;
            const std::vector<Input> inputs{{"image", image}};
            results.push_back((*loaded)->run(inputs).value().front());
        }
        ASSERT_EQ(results[0].shape, results[1].shape);
        float largest = 0.0F;
        float difference = 0.0F;
        for (std::size_t at = 0; at < results[0].values.size(); ++at) {
            largest = std::max(largest, std::abs(results[1].values[at]));
            difference =
                std::max(difference, std::abs(results[0].values[at] - results[1].values[at]));
        }
        EXPECT_GT(largest, 0.1F) << file;
        EXPECT_LT(difference, 1e-4F * largest) << file;
    }
}

TEST_F(Upscaling, StopsBetweenTiles) {
    const Upscaler upscaler = open(random_srvgg(2, 2));
    std::stop_source stop;
    std::size_t last = 0;
    const auto stop_at_two = [&](std::size_t done, std::size_t) {
        last = done;
        if (done == 2) {
            stop.request_stop();
        }
    };
    const auto result =
        upscaler.upscale(test_image(100, 100, 3), {200, 200, 32}, stop_at_two, stop.get_token());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kCancelled);
    EXPECT_EQ(last, 2U);
}

TEST_F(Upscaling, RefusesRequestsThatCannotBeMet) {
    const Upscaler upscaler = open(random_srvgg(2, 2));
    const Image image = test_image(10, 10, 3);
    const UpscaleRequest requests[] = {
        {0, 10}, {10, -1}, {20, 20, 31}, {20, 20, 4097}, {20, 20, 64, -1}};
    for (const UpscaleRequest& request : requests) {
        const auto result = upscaler.upscale(image, request);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().kind, ErrorKind::kInvalidArgument);
    }
    EXPECT_FALSE(upscaler.upscale(Image(), {20, 20}));
    const auto huge = upscaler.upscale(image, {100'000, 100'000});
    ASSERT_FALSE(huge);
    EXPECT_EQ(huge.error().kind, ErrorKind::kExhausted);
}

TEST_F(Upscaling, RefusesANetworkWhoseResultIsNoNumber) {
    SrvggNetCompactConfig config;
    config.features = 4;
    const auto file = folder_ / "broken.safetensors";
    write_random_upscaler(file, srvgg_net_compact_parameters(config), 1);
    std::string content = read_file(file, 1U << 20U).value();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(content.data() + content.size() - sizeof(nan), &nan, sizeof(nan));
    ASSERT_TRUE(write_file_atomically(file, as_bytes(content)));
    const auto result = open(file).upscale(test_image(8, 8, 3), {8, 8});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kCorrupt);
    EXPECT_THAT(result.error().message, HasSubstr("damaged"));
}

TEST_F(Upscaling, ChoosesTilesByTheNetworksNeedAlone) {
    RrdbNetConfig config;
    config.features = 64;
    config.growth = 32;
    config.blocks = 1;
    config.doublings = 2;
    const auto file = folder_ / "wide.safetensors";
    write_random_upscaler(file, rrdb_net_parameters(config), 1);
    const auto side = open(file).tile_side({4096, 4096}).value();
    EXPECT_GT(side, 128);
    EXPECT_LT(side, 256);
    EXPECT_EQ(open(kShippedX2).tile_side({4096, 4096}), 512);
    EXPECT_EQ(open(kShippedX2).tile_side({4096, 4096, 100}), 100);
    EXPECT_EQ(Upscaler::lanczos().tile_side({4096, 4096}), std::nullopt);
}

TEST(UpscalerFile, SaysWhatItIs) {
    const auto shipped = UpscalerNetwork::open(kShippedX2);
    ASSERT_TRUE(shipped) << shipped.error().message;
    EXPECT_STREQ(shipped->architecture(), "SRVGGNetCompact");
    EXPECT_EQ(shipped->scale(), 2);
    const auto rrdb = UpscalerNetwork::open(kGoldens / "rrdb_x2.safetensors");
    ASSERT_TRUE(rrdb) << rrdb.error().message;
    EXPECT_STREQ(rrdb->architecture(), "RRDBNet");
    EXPECT_EQ(rrdb->multiple(), 2);
}

TEST(UpscalerFile, IsRefusedWithWhatItIsInstead) {
    const fs::path model = fs::path(TESSERA_TEST_DATA) / "sd15-tiny";
    const std::pair<fs::path, const char*> files[] = {
        {model / "unet/diffusion_pytorch_model.safetensors", "UNet"},
        {model / "vae/diffusion_pytorch_model.safetensors", "VAE"},
        {model / "text_encoder/model.safetensors", "text encoder"},
        {kGoldens / "expected.safetensors", "no upscaler that is known"},
    };
    for (const auto& [file, word] : files) {
        const auto network = UpscalerNetwork::open(file);
        ASSERT_FALSE(network) << file;
        EXPECT_EQ(network.error().kind, ErrorKind::kUnsupported);
        EXPECT_THAT(network.error().message, HasSubstr(word));
        EXPECT_THAT(network.error().message, HasSubstr(file.string()));
    }
}

TEST(UpscalerFile, IsNeverAPickle) {
    for (const char* name : {"4x.pth", "model.ckpt", "x.pt"}) {
        const auto network = UpscalerNetwork::open(name);
        ASSERT_FALSE(network);
        EXPECT_EQ(network.error().kind, ErrorKind::kUnsupported);
        EXPECT_THAT(network.error().message, HasSubstr("convert it to .safetensors"));
    }
}

}  // namespace
}  // namespace tessera
