#include "diffusion/latent_preview.h"

#include "diffusion/philox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>

namespace tessera {
namespace {

using testing::FloatNear;
using testing::Pointwise;

constexpr std::int64_t kDownscale = 4;

Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
    Tensor tensor(shape);
    PhiloxRandom(seed).randn(tensor.values);
    return tensor;
}

/// Small enough factors that nothing leaves -1..1.
LatentPreview gentle_preview(std::size_t channels, std::uint64_t seed) {
    const Tensor numbers = random_tensor({static_cast<std::int64_t>(channels + 1), 3}, seed);
    LatentPreview preview;
    for (std::size_t row = 0; row <= channels; ++row) {
        std::array<float, 3> colours{};
        for (std::size_t colour = 0; colour < 3; ++colour) {
            colours[colour] = 0.03F * numbers.values[row * 3 + colour];
        }
        if (row == channels) {
            preview.bias = colours;
        } else {
            preview.factors.push_back(colours);
        }
    }
    return preview;
}

/// A decoder that is exactly linear: every latent becomes a square of one colour.
Tensor decode_flat(const Tensor& latents, const LatentPreview& preview) {
    const Tensor small = preview_image(latents, preview);
    const Shape shape{small.shape[0], 3, small.shape[2] * kDownscale, small.shape[3] * kDownscale};
    Tensor decoded(shape);
    for (std::size_t i = 0; i < decoded.values.size(); ++i) {
        const auto width = static_cast<std::size_t>(shape[3]);
        const std::size_t row = i / width / kDownscale;
        decoded.values[i] = small.values[row * width / kDownscale + i % width / kDownscale];
    }
    return decoded;
}

TEST(LatentPreview, AddsUpFactorsAndBiasForEachPixel) {
    const LatentPreview preview{{{0.5F, 0.0F, -0.25F}, {0.1F, 0.2F, 0.3F}}, {0.0F, 0.1F, 0.2F}};
    const Tensor latents({1, 2, 1, 2}, {1.0F, 0.0F, 0.5F, -1.0F});
    const Tensor image = preview_image(latents, preview);
    EXPECT_EQ(image.shape, (Shape{1, 3, 1, 2}));
    EXPECT_THAT(
        image.values,
        Pointwise(FloatNear(1e-6F), std::vector{0.55F, -0.1F, 0.2F, -0.1F, 0.1F, -0.1F})
    );
}

TEST(LatentPreview, StaysInTheRangeThatCanBeShown) {
    constexpr float kHuge = std::numeric_limits<float>::max();
    const LatentPreview preview{{{kHuge, -kHuge, kHuge}, {kHuge, kHuge, -kHuge}}, {}};
    const Tensor latents({1, 2, 1, 1}, {kHuge, kHuge});
    EXPECT_THAT(preview_image(latents, preview).values, testing::ElementsAre(1.0F, 0.0F, 0.0F));
}

TEST(LatentPreview, EachPictureIsAsItWouldBeAlone) {
    const LatentPreview preview = gentle_preview(4, 1);
    const Tensor batch = random_tensor({3, 4, 5, 7}, 2);
    const Tensor images = preview_image(batch, preview);
    for (std::ptrdiff_t i = 0; i < 3; ++i) {
        const auto first = batch.values.begin() + i * 4 * 35;
        const Tensor one({1, 4, 5, 7}, {first, first + std::ptrdiff_t{4} * 35});
        const Tensor image = preview_image(one, preview);
        EXPECT_TRUE(
            std::equal(image.values.begin(), image.values.end(), images.values.begin() + i * 3 * 35)
        );
    }
}

TEST(LatentPreview, PixelsAreClampedAndAveragedInSquares) {
    Tensor decoded({1, 3, 2, 4});
    decoded.values[0] = 5.0F;
    decoded.values[1] = 0.5F;
    decoded.values[5] = -0.5F;
    decoded.values[7] = -3.0F;
    const Tensor small = average_pixels(decoded, 2);
    EXPECT_EQ(small.shape, (Shape{1, 3, 1, 2}));
    EXPECT_THAT(small.values, testing::ElementsAre(0.25F, -0.25F, 0.0F, 0.0F, 0.0F, 0.0F));
}

TEST(LatentPreview, FindsTheFactorsOfALinearDecoder) {
    EXPECT_TRUE(rc::check([](std::uint64_t seed) {
        const auto channels = *rc::gen::inRange<std::size_t>(1, 9);
        const LatentPreview truth = gentle_preview(channels, seed);
        const Tensor latents =
            random_tensor({3, static_cast<std::int64_t>(channels), 8, 6}, seed + 1);
        const auto fitted = fit_latent_preview(latents, decode_flat(latents, truth), kDownscale);
        RC_ASSERT(fitted.has_value());
        RC_ASSERT(fitted->channels() == channels);
        for (std::size_t colour = 0; colour < 3; ++colour) {
            RC_ASSERT(std::abs(fitted->bias[colour] - truth.bias[colour]) < 1e-3F);
            for (std::size_t i = 0; i < channels; ++i) {
                RC_ASSERT(std::abs(fitted->factors[i][colour] - truth.factors[i][colour]) < 1e-3F);
            }
        }
    }));
}

TEST(LatentPreview, LatentsThatStandStillGetNoFactor) {
    const LatentPreview truth = gentle_preview(2, 3);
    for (const float level : {0.0F, 2.0F}) {
        Tensor latents({1, 2, 3, 3});
        std::fill(latents.values.begin(), latents.values.end(), level);
        const Tensor decoded = decode_flat(latents, truth);
        const auto fitted = fit_latent_preview(latents, decoded, kDownscale);
        ASSERT_TRUE(fitted);
        EXPECT_THAT(fitted->factors, testing::Each(testing::Each(FloatNear(0.0F, 1e-6F))));
        EXPECT_NEAR(fitted->bias[0], decoded.values[0], 1e-6F);
    }
}

TEST(LatentPreview, RefusesWhatDoesNotBelongTogether) {
    const Tensor latents = random_tensor({1, 4, 3, 5}, 1);
    const auto refused = [&](const Tensor& some_latents, const Shape& shape, std::int64_t downscale
                         ) {
        const auto fitted = fit_latent_preview(some_latents, Tensor(shape), downscale);
        return !fitted && fitted.error().kind == ErrorKind::kInvalidArgument;
    };
    EXPECT_FALSE(refused(latents, {1, 3, 6, 10}, 2));
    EXPECT_TRUE(refused(latents, {1, 3, 6, 9}, 2));
    EXPECT_TRUE(refused(latents, {1, 4, 6, 10}, 2));
    EXPECT_TRUE(refused(latents, {2, 3, 6, 10}, 2));
    EXPECT_TRUE(refused(latents, {1, 3, 6}, 2));
    EXPECT_TRUE(refused(latents, {1, 3, 0, 0}, 0));
    EXPECT_TRUE(refused(Tensor(Shape{0, 4, 3, 5}), {0, 3, 6, 10}, 2));
}

TEST(LatentPreview, RefusesPicturesThatAreNotNumbers) {
    const Tensor latents = random_tensor({1, 4, 2, 2}, 1);
    Tensor decoded({1, 3, 4, 4});
    decoded.values[7] = std::numeric_limits<float>::quiet_NaN();
    const auto fitted = fit_latent_preview(latents, decoded, 2);
    ASSERT_FALSE(fitted);
    EXPECT_EQ(fitted.error().kind, ErrorKind::kCorrupt);
}

TEST(LatentPreview, ComesBackAsItWasKept) {
    const LatentPreview preview = gentle_preview(4, 9);
    EXPECT_EQ(load_latent_preview(save(preview), 4).value(), preview);
}

TEST(LatentPreview, RefusesKeptBytesThatAreNoPreviewForTheModel) {
    LatentPreview preview = gentle_preview(4, 9);
    const Bytes good = save(preview);
    EXPECT_FALSE(load_latent_preview(good, 3));
    EXPECT_FALSE(load_latent_preview(good, 5));
    for (std::size_t length = 0; length < good.size(); ++length) {
        EXPECT_FALSE(load_latent_preview(ByteView(good).first(length), 4)) << length;
    }
    for (std::size_t i = 0; i < good.size(); ++i) {
        Bytes damaged = good;
        damaged[i] ^= std::byte{0x10};
        EXPECT_FALSE(load_latent_preview(damaged, 4)) << i;
    }
    preview.factors[2][1] = std::numeric_limits<float>::infinity();
    EXPECT_FALSE(load_latent_preview(save(preview), 4));
}

}  // namespace
}  // namespace tessera
