#include "imaging/codec.h"
#include "imaging/infotext.h"
#include "imaging/metadata.h"
#include "program.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace tessera::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class RenderCommand : public ProgramTest {
  protected:
    /// Two steps; without the engine cache, which takes longer to fill than they take.
    Outcome render(std::vector<std::string> arguments) {
        arguments.emplace_back("--no-cache");
        return render_with_cache(std::move(arguments));
    }
    Outcome render_with_cache(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "render");
        arguments.insert(arguments.end(), {"--steps", "2"});
        return run(std::move(arguments));
    }
    Result<PictureMetadata> metadata_of(const std::string& name) {
        return extract_metadata(as_bytes(read_text(work / name)));
    }
};

TEST_F(RenderCommand, WritesThePictureAndSaysWhere) {
    const Outcome outcome = render({"a lighthouse by the sea", "--seed", "42"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "a-lighthouse-by-the-sea-42.png\n");
    EXPECT_THAT(work_files(), ElementsAre("a-lighthouse-by-the-sea-42.png"));
    const auto image = decode(as_bytes(read_text(work / "a-lighthouse-by-the-sea-42.png")));
    ASSERT_TRUE(image);
    EXPECT_EQ(image->width, 128);
    EXPECT_EQ(image->height, 128);
}

TEST_F(RenderCommand, TellsWhatItDoesOnStderr) {
    const Outcome outcome = render({"a lake", "--seed", "42"});
    EXPECT_THAT(outcome.err, HasSubstr("reading the model\n"));
    EXPECT_THAT(outcome.err, HasSubstr("decoding\n"));
    EXPECT_THAT(outcome.err, HasSubstr("seed 42, 128x128, 2 steps"));
    EXPECT_THAT(outcome.err, Not(HasSubstr("\r")));
    EXPECT_THAT(outcome.err, Not(HasSubstr("\x1b")));
}

TEST_F(RenderCommand, DrawsOneLineOnATerminalAndTakesItAway) {
    const Outcome outcome = run_on_terminal(
        {"render",
         "黄昏的灯塔 a lake",
         "--size",
         "256x256",
         "--steps",
         "3",
         "--out",
         "a.png",
         "--no-cache"},
        "?",
        ""
    );
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_TRUE(outcome.out.find("\r▕") != std::string::npos);
    EXPECT_TRUE(outcome.out.find("黄昏的灯塔 a lake") != std::string::npos);
    EXPECT_TRUE(outcome.out.ends_with("a.png\r\n"));
    std::istringstream lines(outcome.out);
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) {
        ++count;
    }
    EXPECT_EQ(count, 2U);
}

TEST_F(RenderCommand, KeepsColoursOffWhereNobodyWantsThem) {
    environment["NO_COLOR"] = "1";
    const Outcome outcome =
        run_on_terminal({"render", "a lake", "--size", "256x256", "--steps", "3"}, "?", "");
    EXPECT_TRUE(outcome.out.find("\r▕") != std::string::npos);
    EXPECT_TRUE(outcome.out.find("\x1b[36m") == std::string::npos);
}

TEST_F(RenderCommand, PutsIntoThePictureWhatRepeatsIt) {
    ASSERT_EQ(
        render({"a lake",
                "-n",
                "a boat",
                "--seed",
                "7",
                "--size",
                "64x96",
                "--sampler",
                "euler_a",
                "--cfg",
                "3.5",
                "--out",
                "lake.png"})
            .exit_code,
        0
    );
    const auto metadata = metadata_of("lake.png");
    ASSERT_TRUE(metadata);
    const Infotext text = parse_infotext(metadata->parameters);
    EXPECT_EQ(text.prompt, "a lake");
    EXPECT_EQ(text.negative_prompt, "a boat");
    EXPECT_EQ(text.find("Steps"), "2");
    EXPECT_EQ(text.find("Sampler"), "Euler a");
    EXPECT_EQ(text.find("Schedule type"), "Automatic");
    EXPECT_EQ(text.find("CFG scale"), "3.5");
    EXPECT_EQ(text.find("Seed"), "7");
    EXPECT_EQ(text.find("Size"), "64x96");
    EXPECT_EQ(text.find("Model"), "tessera-tiny");
    EXPECT_EQ(text.find("Denoising strength"), std::nullopt);
    const auto json = nlohmann::json::parse(metadata->tessera_json);
    EXPECT_EQ(json["version"], 2);
    EXPECT_EQ(json["prompt"], "a lake");
    EXPECT_EQ(json["negative_prompt"], "a boat");
    EXPECT_EQ(json["size"], nlohmann::json({64, 96}));
    EXPECT_EQ(json["steps"], 2);
    EXPECT_EQ(json["sampler"], "Euler a");
    EXPECT_EQ(json["cfg"], 3.5);
    EXPECT_EQ(json["seed"], 7);
    EXPECT_EQ(json["rng"], "cpu");
    const auto hash = json["model"]["sha256"].get<std::string>();
    EXPECT_EQ(hash.size(), 64U);
    EXPECT_EQ(text.find("Model hash"), hash.substr(0, 10));
    EXPECT_EQ(json["fingerprint"].get<std::string>().size(), 32U);
}

TEST_F(RenderCommand, SaysNothingOfWhoWhereAndWhenInThePicture) {
    ASSERT_EQ(render({"a lake", "--seed", "1", "--out", "one.png"}).exit_code, 0);
    const std::string file = read_text(work / "one.png");
    EXPECT_THAT(file, Not(HasSubstr(work.string())));
    EXPECT_THAT(file, Not(HasSubstr("one.png")));
    EXPECT_THAT(file, Not(HasSubstr("seconds")));
}

TEST_F(RenderCommand, LeavesNothingInOtherPlaces) {
    ASSERT_EQ(render({"a lake"}).exit_code, 0);
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root)) {
        names.push_back(entry.path().filename().string());
    }
    // Above all no home folder: ONNX Runtime's telemetry would make one.
    EXPECT_THAT(
        names, ::testing::UnorderedElementsAre("work", "models", "cache", "stdout", "stderr")
    );
}

TEST_F(RenderCommand, CarriesChineseAndEmojiThroughEveryFormat) {
    const std::string prompt = "黄昏的灯塔，大海 🌅 by the sea";
    for (const std::string name : {"a.png", "a.jpg", "a.webp"}) {
        ASSERT_EQ(render({prompt, "--seed", "1", "--out", name}).exit_code, 0);
        const auto metadata = metadata_of(name);
        ASSERT_TRUE(metadata);
        EXPECT_EQ(parse_infotext(metadata->parameters).prompt, prompt);
        EXPECT_EQ(nlohmann::json::parse(metadata->tessera_json)["prompt"], prompt);
        EXPECT_THAT(run({"info", name}).out, HasSubstr(prompt));
    }
}

TEST_F(RenderCommand, NamesFilesByThePromptInAnyScript) {
    const Outcome outcome = render({"黄昏的灯塔，大海 🌅", "--seed", "5"});
    EXPECT_EQ(outcome.out, "黄昏的灯塔-大海-🌅-5.png\n");
}

TEST_F(RenderCommand, NeverLeavesItsFolderForAPrompt) {
    const Outcome outcome = render({"../../etc/passwd", "--seed", "5"});
    EXPECT_EQ(outcome.out, "etc-passwd-5.png\n");
}

TEST_F(RenderCommand, NeverReplacesAFileThatWasNotNamed) {
    ASSERT_EQ(render({"a lake", "--seed", "3"}).out, "a-lake-3.png\n");
    EXPECT_EQ(render({"a lake", "--seed", "3"}).out, "a-lake-3-2.png\n");
    EXPECT_EQ(read_text(work / "a-lake-3.png"), read_text(work / "a-lake-3-2.png"));
}

TEST_F(RenderCommand, ReplacesTheFileThatWasNamed) {
    write_text(work / "lake.png", "old");
    ASSERT_EQ(render({"a lake", "--seed", "3", "--out", "lake.png"}).exit_code, 0);
    EXPECT_THAT(work_files(), ElementsAre("lake.png"));
    EXPECT_TRUE(decode(as_bytes(read_text(work / "lake.png"))));
}

TEST_F(RenderCommand, TakesTheFormatFromTheSuffixOrTheOption) {
    ASSERT_EQ(render({"a lake", "--out", "a.webp"}).exit_code, 0);
    EXPECT_EQ(sniff_format(as_bytes(read_text(work / "a.webp"))), PictureFormat::kWebp);
    ASSERT_EQ(
        render({"a lake", "--seed", "1", "--format", "jpeg", "--quality", "40"}).exit_code, 0
    );
    EXPECT_EQ(sniff_format(as_bytes(read_text(work / "a-lake-1.jpg"))), PictureFormat::kJpeg);
}

TEST_F(RenderCommand, RendersSeveralWithTheSeedsThatFollow) {
    fs::create_directories(work / "out");
    const Outcome outcome = render({"a lake", "--seed", "9", "--count", "2", "--out", "out/l.png"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "out/l-1.png\nout/l-2.png\n");
    ASSERT_EQ(render({"a lake", "--seed", "10", "--out", "alone.png"}).exit_code, 0);
    EXPECT_EQ(read_text(work / "out/l-2.png"), read_text(work / "alone.png"));
    EXPECT_NE(read_text(work / "out/l-1.png"), read_text(work / "alone.png"));
}

TEST_F(RenderCommand, DrawsSeedsWhenNoneIsGiven) {
    const auto seed_of = [&](const Outcome& outcome) {
        return nlohmann::json::parse(outcome.out)["pictures"][0]["seed"].get<std::uint32_t>();
    };
    EXPECT_NE(
        seed_of(render({"a lake", "--size", "8x8", "--json"})),
        seed_of(render({"a lake", "--size", "8x8", "--json"}))
    );
}

TEST_F(RenderCommand, TellsOfThePicturesAsJson) {
    const Outcome outcome =
        render({"a lake", "--seed", "4", "--count", "2", "--out", ".", "--json"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    const auto json = nlohmann::json::parse(outcome.out);
    ASSERT_EQ(json["pictures"].size(), 2U);
    const auto& second = json["pictures"][1];
    EXPECT_TRUE(fs::is_regular_file(work / second["path"].get<std::string>()));
    EXPECT_EQ(second["seed"], 5);
    EXPECT_EQ(second["width"], 128);
    EXPECT_EQ(second["model"], "tessera-tiny");
    EXPECT_EQ(second["steps"], 2);
    for (const std::string stage : {"text", "steps", "decoding", "writing"}) {
        EXPECT_GE(second["seconds"][stage].get<double>(), 0.0);
    }
    EXPECT_EQ(second["fingerprint"].get<std::string>().size(), 32U);
    EXPECT_FALSE(json.contains("error"));
}

TEST_F(RenderCommand, PaintsFromAPicture) {
    const std::string init = TESSERA_TEST_DATA "/imaging/orientation_1.jpg";
    ASSERT_EQ(
        render({"a lake",
                "--seed",
                "4",
                "--init",
                init,
                "--strength",
                "0.5",
                "--size",
                "64x64",
                "--out",
                "new.png"})
            .exit_code,
        0
    );
    const auto metadata = metadata_of("new.png");
    ASSERT_TRUE(metadata);
    EXPECT_EQ(parse_infotext(metadata->parameters).find("Denoising strength"), "0.5");
    const auto json = nlohmann::json::parse(metadata->tessera_json);
    EXPECT_EQ(json["init"]["strength"], 0.5);
    EXPECT_EQ(json["init"]["sha256"].get<std::string>().size(), 64U);
}

TEST_F(RenderCommand, KeepsTheSizeOfAnInitPictureThatSuitsTheModel) {
    ASSERT_EQ(
        render({"a lake", "--seed", "4", "--size", "96x144", "--out", "first.png"}).exit_code, 0
    );
    const Outcome outcome = render({"a lake", "--init", "first.png", "--json"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    const auto picture = nlohmann::json::parse(outcome.out)["pictures"][0];
    EXPECT_EQ(picture["width"], 96);
    EXPECT_EQ(picture["height"], 144);
}

TEST_F(RenderCommand, GivesTheSamePictureOnAnyNumberOfThreads) {
    ASSERT_EQ(render({"a lake", "--seed", "2", "--threads", "1", "--out", "1.png"}).exit_code, 0);
    ASSERT_EQ(render({"a lake", "--seed", "2", "--threads", "3", "--out", "3.png"}).exit_code, 0);
    EXPECT_EQ(read_text(work / "1.png"), read_text(work / "3.png"));
}

TEST_F(RenderCommand, FillsTheEngineCacheAndGivesTheSamePictureFromIt) {
    const auto entries = [&] {
        return nlohmann::json::parse(run({"cache", "--json"}).out)["entries"].size();
    };
    EXPECT_EQ(entries(), 0U);
    ASSERT_EQ(render_with_cache({"a lake", "--seed", "2", "--out", "first.png"}).exit_code, 0);
    EXPECT_EQ(entries(), 3U);
    ASSERT_EQ(render_with_cache({"a lake", "--seed", "2", "--out", "second.png"}).exit_code, 0);
    EXPECT_EQ(entries(), 3U);
    EXPECT_EQ(read_text(work / "first.png"), read_text(work / "second.png"));
}

TEST_F(RenderCommand, LeavesTheEngineCacheAloneWhenToldSo) {
    ASSERT_EQ(render({"a lake"}).exit_code, 0);
    EXPECT_FALSE(fs::exists(cache / "engines"));
}

TEST_F(RenderCommand, GoesOnWithoutACacheFolder) {
    environment["TESSERA_CACHE_DIR"] = "/proc/nowhere";
    const Outcome outcome = render_with_cache({"a lake", "--seed", "2"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("note: "));
}

TEST_F(RenderCommand, TakesTheModelThatTheEnvironmentNames) {
    copy_model("mine");
    environment["TESSERA_MODEL"] = "mine";
    const Outcome outcome = render({"a lake", "--json"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(nlohmann::json::parse(outcome.out)["pictures"][0]["model"], "mine");
}

}  // namespace
}  // namespace tessera::e2e
