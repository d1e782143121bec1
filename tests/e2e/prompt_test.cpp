#include "imaging/metadata.h"
#include "pictures.h"
#include "program.h"

#include <gmock/gmock.h>

namespace tessera::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PromptLanguage : public ProgramTest {
  protected:
    Outcome render(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "render");
        arguments.insert(
            arguments.end(), {"--steps", "2", "--seed", "5", "--size", "64x64", "--no-cache"}
        );
        return run(std::move(arguments));
    }
    Image picture(std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--out", "out.png"});
        const Outcome outcome = render(std::move(arguments));
        EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
        return picture_in(work / "out.png");
    }
};

TEST_F(PromptLanguage, WeightsWordsUnlessItIsSwitchedOff) {
    const Image plain = picture({"a lake"});
    EXPECT_NE(picture({"a (lake:1.5)"}), plain);
    EXPECT_EQ(picture({"(a lake:1)"}), plain);
    EXPECT_NE(picture({"(a lake:1)", "--plain"}), plain);
}

TEST_F(PromptLanguage, ComplainsInOneSentence) {
    expect_complaint(render({"a (lake:1e9)"}), 2, {"prompt", "1e9"});
    expect_complaint(render({"a (lake:nan)"}), 2, {"prompt", "nan"});
    expect_complaint(
        render({"a lake", "-n", std::string(200, '(')}), 2, {"negative prompt", "within 100 others"}
    );
    expect_complaint(render({"a lake", "--sampler", "Eulr"}), 2, {"Eulr", "Euler"});
    expect_complaint(render({"a lake", "--schedule", "Karas"}), 2, {"Karas", "Karras"});
    expect_complaint(render({"a lake", "--cfg-interval", "often"}), 2, {"--cfg-interval"});
    expect_complaint(render({"a lake", "--variation-strength", "2"}), 2, {"variation"});
    expect_complaint(render({"a lake", "--rng", "dice"}), 2, {"dice", "cpu"});
}

TEST_F(PromptLanguage, RemarksOnWhatIsOddAndRendersAllTheSame) {
    const Outcome outcome = render({"a (lake <lora:ink:0.8>"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.err, HasSubstr("never closed"));
    EXPECT_THAT(outcome.err, HasSubstr("<lora:ink>"));
}

TEST_F(PromptLanguage, JoinsStyles) {
    write_text(
        work / "styles.csv", "name,prompt,negative_prompt\nEvening,\"{prompt}, at sunset\",boats\n"
    );
    const Outcome outcome =
        render({"a lake", "--styles", "styles.csv", "--style", "Evening", "--out", "out.png"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    const auto metadata = extract_metadata(as_bytes(read_text(work / "out.png"))).value();
    EXPECT_THAT(metadata.parameters, HasSubstr("a lake, at sunset\nNegative prompt: boats"));
    expect_complaint(
        render({"a lake", "--styles", "styles.csv", "--style", "Evenin"}), 2, {"Evenin", "Evening"}
    );
    expect_complaint(
        render({"a lake", "--styles", "missing.csv", "--style", "x"}), 2, {"missing.csv"}
    );
}

TEST_F(PromptLanguage, TellsOfABrokenEmbeddingAndGoesOn) {
    std::filesystem::create_directories(root / "embeddings");
    write_text(root / "embeddings" / "ink.safetensors", "no tensors");
    const Outcome outcome = render({"a lake"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("ink.safetensors"));
}

TEST_F(PromptLanguage, GuidanceAndNoiseOptionsChangeThePicture) {
    const Image plain = picture({"a lake"});
    EXPECT_NE(picture({"a lake", "--cfg-rescale", "0.7"}), plain);
    EXPECT_NE(picture({"a lake", "--cfg-interval", "0-0.5"}), plain);
    EXPECT_NE(picture({"a lake", "--clip-skip", "2"}), plain);
    EXPECT_NE(picture({"a lake", "--rng", "cuda"}), plain);
    EXPECT_NE(picture({"a lake", "--variation-seed", "9", "--variation-strength", "0.3"}), plain);
    EXPECT_EQ(picture({"a lake", "--variation-seed", "9", "--variation-strength", "0"}), plain);
    EXPECT_NE(picture({"a lake", "--seed-resize", "128x64"}), plain);
}

}  // namespace
}  // namespace tessera::e2e
