#include "imaging/metadata.h"
#include "pictures.h"
#include "program.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace tessera::e2e {
namespace {

using ::testing::HasSubstr;

class Sizes : public ProgramTest {
  protected:
    Outcome render(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"render", "a lake"});
        arguments.insert(
            arguments.end(), {"--steps", "2", "--seed", "5", "--no-cache", "--out", "out.png"}
        );
        return run(std::move(arguments));
    }
    void expect_size(int width, int height) {
        const Image image = picture_in(work / "out.png");
        EXPECT_EQ(image.width, width);
        EXPECT_EQ(image.height, height);
    }
    std::string parameters() {
        return extract_metadata(as_bytes(read_text(work / "out.png"))).value().parameters;
    }
    void expect_repeats() {
        const Outcome again =
            run({"repeat", "out.png", "--strict", "--no-cache", "--out", "again.png"});
        ASSERT_EQ(again.exit_code, 0) << again.err;
        EXPECT_EQ(read_text(work / "out.png"), read_text(work / "again.png"));
    }
};

TEST_F(Sizes, BeyondTheModelsAreRenderedAtItsOwnAndEnlarged) {
    const Outcome outcome = render({"--size", "512x512"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    expect_size(512, 512);
    EXPECT_THAT(outcome.err, HasSubstr("512x512 (rendered at 128x128, enlarged by"));
    EXPECT_THAT(parameters(), HasSubstr("Size: 128x128"));
    EXPECT_THAT(parameters(), HasSubstr("Postprocess upscale to: 512x512"));
    expect_repeats();
}

TEST_F(Sizes, ThatAreNoMultipleAreCutFromTheNextOne) {
    const Outcome outcome = render({"--size", "100x75", "--upscaler", "Lanczos"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    expect_size(100, 75);
    expect_repeats();
}

TEST_F(Sizes, CanBeForced) {
    ASSERT_EQ(render({"--size", "64x256", "--exact-size"}).exit_code, 0);
    expect_size(64, 256);
    EXPECT_THAT(parameters(), HasSubstr("Size: 64x256"));
    expect_complaint(render({"--size", "100x75", "--exact-size"}), 2, {"multiple of 8"});
}

TEST_F(Sizes, OfASecondPassAreReachedInOneProcess) {
    const Outcome outcome = render(
        {"--size",
         "64x64",
         "--hires",
         "2",
         "--hires-steps",
         "2",
         "--hires-strength",
         "0.5",
         "--upscaler",
         "Lanczos"}
    );
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    expect_size(128, 128);
    EXPECT_THAT(parameters(), HasSubstr("Hires resize: 128x128, Hires steps: 2"));
    expect_repeats();
}

TEST_F(Sizes, AreTheSameAfterRepairing) {
    ASSERT_EQ(render({"--restore"}).exit_code, 0);
    expect_size(128, 128);
    expect_repeats();
}

TEST_F(Sizes, ThatNobodyCanHaveAreRefused) {
    expect_complaint(render({"--size", "9000x64"}), 2, {"9000x64"});
    expect_complaint(render({"--size", "0x64"}), 2, {"0x64"});
    expect_complaint(render({"--size", "big"}), 2, {"--size", "512x768"});
    expect_complaint(render({"--hires", "9"}), 2, {"--hires", "1 to 4"});
    expect_complaint(render({"--hires-steps", "2"}), 2, {"--hires"});
    expect_complaint(render({"--hires", "2", "--hires-strength", "0"}), 2, {"second pass"});
    expect_complaint(
        render({"--size", "512x512", "--upscaler", "tessera-tiny-upscaler-x3"}),
        2,
        {"tessera-tiny-upscaler-x3", "tessera-tiny-upscaler-x2"}
    );
}

TEST_F(Sizes, ShowThePictureAsItComesIntoBeing) {
    ASSERT_EQ(render({"--preview", "preview.png"}).exit_code, 0);
    const Image preview = picture_in(work / "preview.png");
    EXPECT_EQ(preview.width, 16);
    EXPECT_EQ(preview.height, 16);
}

}  // namespace
}  // namespace tessera::e2e
