#include "imaging/composite.h"

#include "imaging/resize.h"
#include "imaging/testing_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

Mask mask_of(int width, int height, std::uint8_t value) {
    const auto area = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    return {width, height, std::vector<std::uint8_t>(area, value)};
}

Image even(int width, int height, const std::vector<std::uint8_t>& pixel) {
    Image image{width, height, static_cast<int>(pixel.size()), {}};
    for (int at = 0; at < width * height; ++at) {
        image.pixels.insert(image.pixels.end(), pixel.begin(), pixel.end());
    }
    return image;
}

/// Any bytes, alpha too.
Image random_image(int width, int height, int channels) {
    const auto size = static_cast<std::size_t>(width * height * channels);
    return {
        width,
        height,
        channels,
        *rc::gen::container<std::vector<std::uint8_t>>(size, rc::gen::arbitrary<std::uint8_t>())};
}

TEST(Composite, MixesInProportionToTheMask) {
    const Image original = even(1, 1, {0, 100, 255});
    const Image rendered = even(1, 1, {255, 200, 0});
    EXPECT_EQ(
        composite(original, rendered, mask_of(1, 1, 51)).value().pixels,
        (std::vector<std::uint8_t>{51, 120, 204})
    );
}

TEST(Composite, DoesNotLetTransparentColoursShineThrough) {
    const Image original = even(1, 1, {255, 0, 0, 0});
    const Image rendered = even(1, 1, {10, 20, 30});
    EXPECT_EQ(
        composite(original, rendered, mask_of(1, 1, 100)).value().pixels,
        (std::vector<std::uint8_t>{10, 20, 30, 100})
    );
}

TEST(Composite, KeepsTheOriginalWhereTheMaskIsEmptyAndTheRenderedWhereItIsFull) {
    EXPECT_TRUE(rc::check([] {
        const int width = *rc::gen::inRange(1, 12);
        const int height = *rc::gen::inRange(1, 12);
        const int channels = *rc::gen::element(3, 4);
        const Image original = random_image(width, height, channels);
        const Image rendered = random_image(width, height, 3);
        Mask mask = mask_from_channel(random_image(width, height, 3));
        for (std::uint8_t& value : mask.values) {
            value = value < 85 ? 0 : value < 170 ? 255 : value;
        }
        const Image out = composite(original, rendered, mask).value();
        RC_ASSERT(out.channels == channels);
        for (std::size_t at = 0; at < mask.values.size(); ++at) {
            for (std::size_t channel = 0; channel < static_cast<std::size_t>(channels); ++channel) {
                const std::size_t place = at * static_cast<std::size_t>(channels) + channel;
                if (mask.values[at] == 0) {
                    RC_ASSERT(out.pixels[place] == original.pixels[place]);
                } else if (mask.values[at] == 255) {
                    const int expected = channel < 3 ? rendered.pixels[3 * at + channel] : 255;
                    RC_ASSERT(out.pixels[place] == expected);
                }
            }
        }
    }));
}

TEST(Composite, RefusesSizesThatDiffer) {
    const Image image = test_image(6, 4, 3);
    for (const auto& [rendered, mask] :
         {std::pair(test_image(4, 6, 3), mask_of(6, 4, 255)),
          std::pair(image, mask_of(6, 5, 255)),
          std::pair(Image(), mask_of(6, 4, 255))}) {
        EXPECT_EQ(composite(image, rendered, mask).error().kind, ErrorKind::kInvalidArgument);
    }
}

TEST(CompositeRegion, PutsTheRenderedPictureIntoTheRegionOnly) {
    const Image original = test_image(20, 16, 3);
    const Image rendered = test_image(64, 64, 3);
    const Region region{3, 5, 11, 13};
    const Image out = composite_region(original, rendered, mask_of(20, 16, 255), region).value();
    EXPECT_EQ(crop(out, region), resize(rendered, 8, 8).value());
    for (int y = 0; y < 16; ++y) {
        for (int x = 0; x < 20; ++x) {
            if (x < 3 || x >= 11 || y < 5 || y >= 13) {
                const auto at = static_cast<std::size_t>(3 * (20 * y + x));
                EXPECT_EQ(out.pixels[at], original.pixels[at]) << x << "," << y;
            }
        }
    }
}

TEST(CompositeRegion, CutsARenderedPictureOfAnotherShapeToTheRegion) {
    const Image original = even(20, 16, {9, 9, 9});
    const Image rendered = test_image(64, 32, 3);
    const Region region{0, 0, 8, 8};
    const Image out = composite_region(original, rendered, mask_of(20, 16, 255), region).value();
    EXPECT_EQ(crop(out, region), crop_to_fill(rendered, 8, 8).value());
}

TEST(CompositeRegion, OfAnEmptyMaskIsTheOriginal) {
    const Image original = test_image(20, 16, 4);
    const Image rendered = test_image(64, 64, 3);
    EXPECT_EQ(composite_region(original, rendered, mask_of(20, 16, 0), {3, 5, 11, 13}), original);
}

TEST(CompositeRegion, RefusesARegionOutsideOfThePicture) {
    const auto out = composite_region(
        test_image(20, 16, 3), test_image(8, 8, 3), mask_of(20, 16, 255), {15, 0, 23, 8}
    );
    EXPECT_EQ(out.error().kind, ErrorKind::kInvalidArgument);
}

TEST(OverlayMask, DoublesUpToFull) {
    EXPECT_EQ(overlay_mask(Mask{4, 1, {0, 3, 127, 128}}), (Mask{4, 1, {0, 6, 254, 255}}));
}

}  // namespace
}  // namespace tessera
