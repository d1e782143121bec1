#include "imaging/mask_latents.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

/// 40 x 32, masked in columns 9 to 26 of rows 6 to 19, then blurred.
Mask soft_block() {
    Mask mask{40, 32, std::vector<std::uint8_t>(40 * 32)};
    for (std::size_t y = 6; y < 20; ++y) {
        std::fill_n(
            mask.values.begin() + static_cast<std::ptrdiff_t>(40 * y + 9), 18, std::uint8_t{255}
        );
    }
    return blurred(mask, 2.0, 3.0).value();
}

TEST(ShrinkToLatents, TheTwoWaysDifferAsA1111AndDiffusersDo) {
    EXPECT_EQ(
        shrink_to_latents(soft_block(), 8, MaskShrinking::kResizedThenRounded).value(),
        (std::vector<float>{0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0})
    );
    EXPECT_EQ(
        shrink_to_latents(soft_block(), 8, MaskShrinking::kRoundedThenNearest).value(),
        (std::vector<float>{0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0})
    );
}

TEST(ShrinkToLatents, RoundsAt128) {
    for (const MaskShrinking shrinking :
         {MaskShrinking::kResizedThenRounded, MaskShrinking::kRoundedThenNearest}) {
        for (const int level : {0, 127, 128, 255}) {
            const Mask mask{
                16, 8, std::vector<std::uint8_t>(128, static_cast<std::uint8_t>(level))};
            EXPECT_EQ(
                shrink_to_latents(mask, 8, shrinking).value(),
                std::vector<float>(2, level < 128 ? 0.0F : 1.0F)
            );
        }
    }
}

TEST(ShrinkToLatents, RefusesSidesThatAreNoMultiples) {
    const Mask mask{12, 8, std::vector<std::uint8_t>(96)};
    const auto shrunk = shrink_to_latents(mask, 8, MaskShrinking::kResizedThenRounded);
    EXPECT_EQ(shrunk.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(
        shrink_to_latents(mask, 0, MaskShrinking::kRoundedThenNearest).error().kind,
        ErrorKind::kInvalidArgument
    );
    EXPECT_EQ(
        shrink_to_latents(Mask(), 8, MaskShrinking::kRoundedThenNearest).error().kind,
        ErrorKind::kInvalidArgument
    );
}

}  // namespace
}  // namespace tessera
