#include "tessera/size_policy.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

namespace tessera::cli {
namespace {

const NativeSize native{{512, 512}, 8};

PictureSize rendered(int width, int height) {
    return size_to_render({width, height}, native, false).value();
}

TEST(SizePolicy, LeavesSizesThatTheModelCanCompose) {
    EXPECT_EQ(rendered(512, 512), (PictureSize{512, 512}));
    EXPECT_EQ(rendered(512, 768), (PictureSize{512, 768}));
    EXPECT_EQ(rendered(768, 768), (PictureSize{768, 768}));
    EXPECT_EQ(rendered(256, 256), (PictureSize{256, 256}));
}

TEST(SizePolicy, RendersLargerAndSmallerOnesInTheModelsOwnArea) {
    EXPECT_EQ(rendered(1024, 1024), (PictureSize{512, 512}));
    EXPECT_EQ(rendered(2048, 1024), (PictureSize{724 / 8 * 8 + 8, 360}));
    EXPECT_EQ(rendered(64, 64), (PictureSize{512, 512}));
}

TEST(SizePolicy, RoundsSidesThatTheModelCannotHave) {
    EXPECT_EQ(rendered(500, 333), (PictureSize{504, 336}));
}

TEST(SizePolicy, TakesExactSizesAtTheirWord) {
    EXPECT_EQ(size_to_render({100, 4096}, native, true).value(), (PictureSize{100, 4096}));
}

TEST(SizePolicy, RefusesWhatNobodyCanHave) {
    for (const PictureSize size : {PictureSize{0, 8}, {8, -1}, {8193, 8}}) {
        const auto refused = size_to_render(size, native, false);
        ASSERT_FALSE(refused);
        EXPECT_THAT(refused.error().message, ::testing::HasSubstr("8192"));
    }
}

TEST(SizePolicy, EverySizeGivesOneThatTheModelCanRender) {
    EXPECT_TRUE(rc::check([] {
        const PictureSize asked{
            *rc::gen::inRange(1, kMaxFinishedSide + 1), *rc::gen::inRange(1, kMaxFinishedSide + 1)};
        const auto size = size_to_render(asked, native, false).value();
        RC_ASSERT(size.width % 8 == 0 && size.height % 8 == 0);
        RC_ASSERT(size.width >= 256 && size.width <= 1024);
        RC_ASSERT(size.height >= 256 && size.height <= 1024);
        RC_ASSERT(size.width * size.height <= 768 * 768);
    }));
}

}  // namespace
}  // namespace tessera::cli
