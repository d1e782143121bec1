#include "imaging/metadata.h"
#include "pictures.h"
#include "program.h"

#include <gmock/gmock.h>

namespace tessera::e2e {
namespace {

using ::testing::HasSubstr;

/// Has a picture `lake.png` of 64x64 and a mask `right.png` that is white on its right half.
class Inpainting : public ProgramTest {
  protected:
    void SetUp() override {
        write_picture(work / "lake.png", 64, 64, 3, [](int x, int y, int channel) {
            return (x * 3 + y * 2 + channel * 40) % 256;
        });
        write_picture(work / "right.png", 64, 64, 3, [](int x, int, int) {
            return x < 32 ? 0 : 255;
        });
    }
    Outcome render(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"render", "a boat", "--init", "lake.png"});
        arguments.insert(arguments.end(), {"--steps", "2", "--seed", "5", "--no-cache"});
        return run(std::move(arguments));
    }
    void expect_done(const Outcome& outcome) { ASSERT_EQ(outcome.exit_code, 0) << outcome.err; }
    /// How many of the left half's pixels differ between two pictures, and of the right one's.
    static std::pair<int, int> changed(const Image& a, const Image& b) {
        std::pair<int, int> count;
        for (int y = 0; y < a.height; ++y) {
            for (int x = 0; x < a.width; ++x) {
                if (red_at(a, x, y) != red_at(b, x, y)) {
                    ++(x < a.width / 2 ? count.first : count.second);
                }
            }
        }
        return count;
    }
};

TEST_F(Inpainting, LeavesWhatTheMaskDoesNotCover) {
    expect_done(render({"--mask", "right.png", "--mask-blur", "0", "--out", "out.png"}));
    const auto [left, right] = changed(picture_in(work / "lake.png"), picture_in(work / "out.png"));
    EXPECT_EQ(left, 0);
    EXPECT_GT(right, 1000);
}

TEST_F(Inpainting, InvertedPaintsTheRest) {
    expect_done(
        render({"--mask", "right.png", "--mask-invert", "--mask-blur", "0", "--out", "out.png"})
    );
    const auto [left, right] = changed(picture_in(work / "lake.png"), picture_in(work / "out.png"));
    EXPECT_GT(left, 1000);
    EXPECT_EQ(right, 0);
}

TEST_F(Inpainting, UnderABlackMaskChangesNothingAndUnderAWhiteOneIsImageToImage) {
    write_picture(work / "black.png", 64, 64, 3, [](int, int, int) { return 0; });
    write_picture(work / "white.png", 64, 64, 3, [](int, int, int) { return 255; });
    expect_done(render({"--mask", "black.png", "--out", "black-out.png"}));
    EXPECT_EQ(picture_in(work / "black-out.png"), picture_in(work / "lake.png"));
    expect_done(render({"--mask", "white.png", "--out", "white-out.png"}));
    expect_done(render({"--out", "plain.png"}));
    EXPECT_EQ(picture_in(work / "white-out.png"), picture_in(work / "plain.png"));
}

TEST_F(Inpainting, OnlyMaskedRendersThePartAndKeepsThePicturesSize) {
    write_picture(work / "big.png", 300, 200, 3, [](int x, int y, int channel) {
        return (x + y + channel * 50) % 256;
    });
    write_picture(work / "spot.png", 300, 200, 3, [](int x, int y, int) {
        return x > 200 && x < 240 && y > 50 && y < 90 ? 255 : 0;
    });
    const Outcome outcome = run(
        {"render",
         "a boat",
         "--init",
         "big.png",
         "--mask",
         "spot.png",
         "--only-masked",
         "16",
         "--masked-content",
         "fill",
         "--size",
         "64x64",
         "--steps",
         "2",
         "--no-cache",
         "--out",
         "out.png"}
    );
    expect_done(outcome);
    const Image before = picture_in(work / "big.png");
    const Image after = picture_in(work / "out.png");
    EXPECT_EQ(after.width, 300);
    EXPECT_EQ(after.height, 200);
    EXPECT_EQ(red_at(after, 100, 100), red_at(before, 100, 100));
    EXPECT_NE(red_at(after, 220, 70), red_at(before, 220, 70));
}

TEST_F(Inpainting, TakesTransparencyForTheMask) {
    write_picture(work / "hole.png", 64, 64, 4, [](int x, int y, int channel) {
        return channel == 3 ? (x < 32 ? 255 : 0) : (x * 3 + y * 2 + channel * 40) % 256;
    });
    const Outcome outcome = run(
        {"render",
         "a boat",
         "--init",
         "hole.png",
         "--mask",
         "alpha",
         "--mask-blur",
         "0",
         "--steps",
         "2",
         "--no-cache",
         "--out",
         "out.png"}
    );
    expect_done(outcome);
    const Image after = picture_in(work / "out.png");
    EXPECT_EQ(after.channels, 3);
    EXPECT_EQ(changed(picture_in(work / "lake.png"), after).first, 0);
}

TEST_F(Inpainting, OutpaintingGrowsThePictureAroundTheOldOne) {
    expect_done(render({"--outpaint", "right=64", "--out", "out.png"}));
    const Image before = picture_in(work / "lake.png");
    const Image after = picture_in(work / "out.png");
    EXPECT_EQ(after.width, 128);
    EXPECT_EQ(after.height, 64);
    EXPECT_EQ(red_at(after, 10, 10), red_at(before, 10, 10));
}

TEST_F(Inpainting, ResizesAMaskOfAnotherSizeAndSaysSo) {
    write_picture(work / "small.png", 32, 16, 3, [](int x, int, int) { return x < 16 ? 0 : 255; });
    const Outcome outcome = render({"--mask", "small.png", "--mask-blur", "0", "--out", "out.png"});
    expect_done(outcome);
    EXPECT_THAT(outcome.err, HasSubstr("the mask of 32x16 is resized to the picture's 64x64"));
    const auto [left, right] = changed(picture_in(work / "lake.png"), picture_in(work / "out.png"));
    EXPECT_LT(left, 200);
    EXPECT_GT(right, 1000);
}

TEST_F(Inpainting, IsRepeatedFromThePictureAndTheMask) {
    expect_done(
        render({"--mask", "right.png", "--masked-content", "latent-noise", "--out", "first.png"})
    );
    expect_complaint(
        run({"repeat", "first.png", "--init", "lake.png"}), 2, {"first.png", "--mask"}
    );
    expect_done(run(
        {"repeat",
         "first.png",
         "--init",
         "lake.png",
         "--mask",
         "right.png",
         "--strict",
         "--no-cache",
         "--out",
         "again.png"}
    ));
    EXPECT_EQ(read_text(work / "first.png"), read_text(work / "again.png"));
}

TEST_F(Inpainting, SaysWhatIsWrongWithAMask) {
    write_text(work / "notes.png", "no picture at all");
    expect_complaint(render({"--mask", "notes.png"}), 2, {"notes.png"});
    expect_complaint(render({"--mask", "missing.png"}), 2, {"missing.png"});
    expect_complaint(render({"--mask", "alpha"}), 2, {"transparen"});
    expect_complaint(render({"--mask-blur", "2"}), 2, {"--mask"});
    expect_complaint(render({"--mask", "right.png", "--mask-blur", "-1"}), 2, {"blur"});
    expect_complaint(
        render({"--mask", "right.png", "--masked-content", "jam"}), 2, {"jam", "latent-noise"}
    );
    expect_complaint(render({"--mask", "right.png", "--outpaint", "64"}), 2, {"--outpaint"});
    expect_complaint(render({"--outpaint", "up=64"}), 2, {"--outpaint", "left=64"});
    expect_complaint(
        run({"render", "a boat", "--mask", "right.png", "--no-cache"}), 2, {"--mask", "--init"}
    );
}

}  // namespace
}  // namespace tessera::e2e
