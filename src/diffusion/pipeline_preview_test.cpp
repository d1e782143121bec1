#include "diffusion/pipeline_preview.h"

#include "base/file.h"
#include "checkpoint/temporary_folder_test.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <vector>

namespace tessera {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<PipelineModel> open_demo_model(const fs::path& cache_folder = {}) {
    EngineOptions options;
    options.threads = 2;
    options.cache_folder = cache_folder;
    const auto engine = Engine::create(options);
    EXPECT_TRUE(engine) << engine.error().message;
    auto model = PipelineModel::open(TESSERA_WEIGHTS "/tessera-tiny", *engine, "");
    EXPECT_TRUE(model) << model.error().message;
    return *model;
}

/// {1, 3, 128, 128} in -1..1: a sky that grows light towards the horizon, a sun, hills.
Tensor landscape() {
    constexpr int kSide = 128;
    Tensor picture({1, 3, kSide, kSide});
    for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x) {
            const float down = static_cast<float>(y) / kSide;
            std::array colour{1.4F * down - 0.6F, 0.6F * down - 0.3F, 0.5F - 0.4F * down};
            if (std::hypot(static_cast<float>(x - 88), static_cast<float>(y - 44)) < 14.0F) {
                colour = {0.9F, 0.8F, 0.3F};
            }
            if (static_cast<float>(y) > 80.0F + 14.0F * std::sin(static_cast<float>(x) * 0.06F)) {
                colour = {-0.7F, -0.3F + 0.3F * down, -0.8F};
            }
            for (std::size_t c = 0; c < 3; ++c) {
                picture.values
                    [(c * kSide + static_cast<std::size_t>(y)) * kSide +
                     static_cast<std::size_t>(x)] = colour[c];
            }
        }
    }
    return picture;
}

/// The share of the wanted values' variance that is met: 1 for all of it.
double variance_explained(const Tensor& got, const Tensor& wanted) {
    double mean = 0.0;
    for (const float value : wanted.values) {
        mean += static_cast<double>(value) / static_cast<double>(wanted.values.size());
    }
    double missed = 0.0;
    double all = 0.0;
    for (std::size_t i = 0; i < wanted.values.size(); ++i) {
        const auto value = static_cast<double>(wanted.values[i]);
        missed += std::pow(value - static_cast<double>(got.values[i]), 2.0);
        all += std::pow(value - mean, 2.0);
    }
    return 1.0 - missed / all;
}

std::vector<fs::path> kept_previews(const fs::path& folder) {
    std::vector<fs::path> found;
    for (const auto& item : fs::directory_iterator(folder)) {
        if (item.path().filename().string().starts_with("preview-")) {
            found.push_back(item.path());
        }
    }
    return found;
}

class PipelinePreview : public TemporaryFolderTest {};

TEST_F(PipelinePreview, IsNearlyTheDecodedPictureMadeSmall) {
    const auto model = open_demo_model();
    const auto preview = preview_of(*model, {});
    ASSERT_TRUE(preview) << preview.error().message;
    const auto encoded = model->encode(landscape(), {});
    ASSERT_TRUE(encoded);
    const auto decoded = model->decode(encoded->mean, {});
    ASSERT_TRUE(decoded);
    const Tensor wanted = average_pixels(*decoded, model->info().vae.downscale());
    const Tensor got = preview_image(encoded->mean, *preview);
    ASSERT_EQ(got.shape, wanted.shape);
    EXPECT_GT(variance_explained(got, wanted), 0.95);
}

TEST_F(PipelinePreview, IsKeptInTheCacheFolderAndReadFromThere) {
    const auto cache = folder_ / "engines";
    const auto computed = preview_of(*open_demo_model(cache), {});
    ASSERT_TRUE(computed);
    const auto kept = kept_previews(cache);
    ASSERT_EQ(kept.size(), 1U);

    LatentPreview marked = *computed;
    marked.bias[1] += 1.0F;
    ASSERT_TRUE(write_file_atomically(kept.front(), save(marked)));
    EXPECT_EQ(preview_of(*open_demo_model(cache), {}).value(), marked);
}

TEST_F(PipelinePreview, IsComputedAnewWhereTheKeptOneIsNone) {
    const auto cache = folder_ / "engines";
    const auto model = open_demo_model(cache);
    const auto computed = preview_of(*model, {});
    ASSERT_TRUE(computed);
    const auto path = kept_previews(cache).front();
    LatentPreview narrow = *computed;
    narrow.factors.pop_back();
    for (const Bytes& content : {Bytes{}, Bytes(1 << 20), save(narrow)}) {
        ASSERT_TRUE(write_file_atomically(path, content));
        EXPECT_EQ(preview_of(*model, {}).value(), *computed);
        EXPECT_EQ(read_file(path, 1 << 20).value(), as_text(save(*computed)));
    }
}

TEST_F(PipelinePreview, DoesWithoutACacheFolderThatCannotBeUsed) {
    EXPECT_TRUE(preview_of(*open_demo_model("/proc/no-such-folder"), {}));
}

TEST_F(PipelinePreview, StopsWhenAskedAndKeepsNothing) {
    const auto cache = folder_ / "engines";
    const auto model = open_demo_model(cache);
    std::stop_source source;
    source.request_stop();
    const auto preview = preview_of(*model, source.get_token());
    ASSERT_FALSE(preview);
    EXPECT_EQ(preview.error().kind, ErrorKind::kCancelled);
    EXPECT_EQ(kept_previews(cache).size(), 0U);
}

}  // namespace
}  // namespace tessera
