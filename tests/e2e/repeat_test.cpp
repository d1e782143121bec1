#include "imaging/codec.h"
#include "imaging/metadata.h"
#include "pictures.h"
#include "program.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace tessera::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RepeatCommand : public ProgramTest {
  protected:
    void render(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "render");
        arguments.insert(
            arguments.end(), {"--steps", "2", "--seed", "8", "--size", "64x64", "--no-cache"}
        );
        const Outcome outcome = run(std::move(arguments));
        ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    }
    Outcome repeat(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "repeat");
        arguments.emplace_back("--no-cache");
        return run(std::move(arguments));
    }
    /// The picture with other metadata.
    void rewrite(const std::string& from, const std::string& to, const PictureMetadata& metadata) {
        const auto file = embed_metadata(as_bytes(read_text(work / from)), metadata);
        ASSERT_TRUE(file) << file.error().message;
        write_text(work / to, std::string(as_text(*file)));
    }
    PictureMetadata metadata_of(const std::string& name) {
        return extract_metadata(as_bytes(read_text(work / name))).value();
    }
};

TEST_F(RepeatCommand, GivesTheSameBytes) {
    render({"a lake, \"quoted\"\nNegative prompt: not\n", "-n", " boats ", "--out", "first.png"});
    const Outcome outcome = repeat({"first.png", "--strict", "--out", "again.png"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "again.png\n");
    EXPECT_EQ(read_text(work / "first.png"), read_text(work / "again.png"));
    EXPECT_THAT(outcome.err, Not(HasSubstr("note:")));
}

TEST_F(RepeatCommand, GivesTheSameBytesForEverySampler) {
    for (const std::string sampler :
         {"Euler", "Euler a", "DPM++ 2M", "DPM++ 2M Karras", "DDIM", "Euler a Exponential"}) {
        render({"a lake", "--sampler", sampler, "--out", "first.png"});
        ASSERT_EQ(repeat({"first.png", "--strict", "--out", "again.png"}).exit_code, 0);
        EXPECT_EQ(read_text(work / "first.png"), read_text(work / "again.png")) << sampler;
    }
}

TEST_F(RepeatCommand, RepeatsJpegAndWebPAsPng) {
    render({"a lake", "--out", "first.png"});
    render({"a lake", "--out", "first.webp"});
    ASSERT_EQ(repeat({"first.webp", "--out", "again.png"}).exit_code, 0);
    EXPECT_EQ(read_text(work / "first.png"), read_text(work / "again.png"));
}

TEST_F(RepeatCommand, WantsTheInitPictureAgain) {
    render({"a lake", "--out", "init.png"});
    render({"a boat", "--init", "init.png", "--out", "first.png"});
    expect_complaint(repeat({"first.png"}), 2, {"first.png", "--init"});
    ASSERT_EQ(
        repeat({"first.png", "--init", "init.png", "--strict", "--out", "again.png"}).exit_code, 0
    );
    EXPECT_EQ(read_text(work / "first.png"), read_text(work / "again.png"));
}

TEST_F(RepeatCommand, NoticesAnotherInitPicture) {
    render({"a lake", "--out", "init.png"});
    render({"a boat", "--init", "init.png", "--out", "first.png"});
    const Outcome outcome = repeat({"first.png", "--init", "first.png", "--strict"});
    expect_complaint(outcome, 2, {"--strict"});
    EXPECT_THAT(outcome.err, HasSubstr("the init picture is another file"));
}

TEST_F(RepeatCommand, TellsWhatDiffersAndGoesOnUnlessStrict) {
    render({"a lake", "--out", "first.png"});
    PictureMetadata metadata = metadata_of("first.png");
    auto json = nlohmann::json::parse(metadata.tessera_json);
    json["fingerprint"] = std::string(32, '0');
    json["model"]["sha256"] = std::string(64, '1');
    metadata.tessera_json = json.dump();
    rewrite("first.png", "other.png", metadata);

    const Outcome outcome = repeat({"other.png", "--out", "again.png"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("fingerprint 0000000000"));
    EXPECT_THAT(outcome.err, HasSubstr("model hash 1111111111"));
    EXPECT_EQ(read_text(work / "first.png"), read_text(work / "again.png"));

    expect_complaint(repeat({"other.png", "--strict"}), 2, {"other.png", "--strict"});
}

TEST_F(RepeatCommand, TakesParametersOfOtherPrograms) {
    render(
        {"a (lake:1.2)",
         "-n",
         "boats",
         "--sampler",
         "DPM++ 2M Karras",
         "--clip-skip",
         "2",
         "--out",
         "first.png"}
    );
    rewrite(
        "first.png",
        "foreign.png",
        {"a (lake:1.2)\nNegative prompt: boats\nSteps: 2, Sampler: DPM++ 2M, Schedule type: "
         "Karras, "
         "CFG scale: 5, Seed: 8, Size: 64x64, Model: tessera-tiny, Clip skip: 2, Tiling: True, "
         "RNG: "
         "CPU",
         ""}
    );
    const Outcome outcome = repeat({"foreign.png", "--out", "again.png"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("A1111 made it"));
    EXPECT_THAT(outcome.err, HasSubstr("Tiling"));
    EXPECT_EQ(picture_in(work / "first.png"), picture_in(work / "again.png"));
    expect_complaint(repeat({"foreign.png", "--strict"}), 2, {"--strict"});
}

TEST_F(RepeatCommand, NamesTheModelThatIsNotInstalled) {
    render({"a lake", "--out", "first.png"});
    rewrite(
        "first.png",
        "foreign.png",
        {"a lake\nSteps: 2, Sampler: Euler, CFG scale: 5, Seed: 8, Size: 64x64, Model: sd-v1-5", ""}
    );
    expect_complaint(
        repeat({"foreign.png"}), 2, {"there is no model \"sd-v1-5\"", "tessera-tiny", "-m"}
    );
}

TEST_F(RepeatCommand, NeverTakesAPathFromAPicture) {
    render({"a lake", "--out", "first.png"});
    PictureMetadata metadata = metadata_of("first.png");
    auto json = nlohmann::json::parse(metadata.tessera_json);
    json["model"]["name"] = std::string(TESSERA_WEIGHTS) + "/tessera-tiny";
    metadata.tessera_json = json.dump();
    rewrite("first.png", "path.png", metadata);
    expect_complaint(repeat({"path.png"}), 2, {"there is no model"});
}

TEST_F(RepeatCommand, SaysThatThePictureWasEnlargedAfterwards) {
    render({"a lake", "--out", "first.png"});
    ASSERT_EQ(
        run({"upscale", "first.png", "--upscaler", "Lanczos", "--out", "large.png"}).exit_code, 0
    );
    const Outcome outcome = repeat({"large.png", "--out", "again.png"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("tessera upscale"));
    EXPECT_EQ(read_text(work / "first.png"), read_text(work / "again.png"));
}

TEST_F(RepeatCommand, RefusesMetadataThatContradictsItself) {
    render({"a lake", "--out", "first.png"});
    const PictureMetadata metadata = metadata_of("first.png");
    const auto broken = [&](const char* key, const nlohmann::json& value) {
        auto json = nlohmann::json::parse(metadata.tessera_json);
        json[key] = value;
        rewrite("first.png", "broken.png", {metadata.parameters, json.dump()});
        return repeat({"broken.png"});
    };
    expect_complaint(broken("seed", -1), 1, {"broken.png", "seed"});
    expect_complaint(broken("size", {64.5, 64}), 1, {"size"});
    expect_complaint(broken("steps", 0), 2, {"steps"});
    expect_complaint(broken("prompt", 3), 1, {"damaged"});
    expect_complaint(broken("version", 3), 2, {"version 3"});
    expect_complaint(broken("size", {1 << 20, 64}), 2, {"width 1048576"});
}

}  // namespace
}  // namespace tessera::e2e
