#include "program.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace tessera::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

using HelpCommand = ProgramTest;
using ModelsCommand = ProgramTest;
using InfoCommand = ProgramTest;
using DoctorCommand = ProgramTest;
using CacheCommand = ProgramTest;
using ExportOnnxCommand = ProgramTest;

TEST_F(HelpCommand, ShowsExamplesAndExitCodes) {
    const Outcome outcome = run({"--help"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.out, HasSubstr("Examples:"));
    EXPECT_THAT(outcome.out, HasSubstr("Exit codes:"));
    EXPECT_THAT(outcome.out, HasSubstr("130"));
    for (const std::string command :
         {"render",
          "repeat",
          "upscale",
          "tokens",
          "samplers",
          "info",
          "models",
          "doctor",
          "cache",
          "export-onnx"}) {
        EXPECT_THAT(outcome.out, HasSubstr("\n  " + command));
        EXPECT_EQ(run({command, "--help"}).exit_code, 0);
    }
}

TEST_F(HelpCommand, TellsTheVersion) {
    const Outcome outcome = run({"--version"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.out, ::testing::StartsWith("tessera "));
}

TEST_F(HelpCommand, ListsSamplersWithTheirNamesAndSchedules) {
    const auto samplers = nlohmann::json::parse(run({"samplers", "--json"}).out);
    const auto euler_a = std::find_if(samplers.begin(), samplers.end(), [](const auto& sampler) {
        return sampler["name"] == "Euler a";
    });
    ASSERT_NE(euler_a, samplers.end());
    EXPECT_THAT((*euler_a)["aliases"].dump(), HasSubstr("euler_ancestral"));
    EXPECT_THAT((*euler_a)["schedules"].dump(), HasSubstr("Karras"));
    EXPECT_EQ((*euler_a)["eta"], true);
    EXPECT_THAT(run({"samplers"}).out, HasSubstr("\nDPM++ 2M\n"));
}

TEST_F(HelpCommand, ShowsHowAPromptIsRead) {
    const Outcome outcome = run({"tokens", "a (lake:1.2) [dawn:dusk:0.5]"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("3/75 tokens in 1 chunk"));
    EXPECT_THAT(outcome.out, HasSubstr("1.2  lake"));
    EXPECT_THAT(outcome.out, HasSubstr("a (lake:1.2) dusk"));
}

TEST_F(ModelsCommand, ListsWhatIsInstalledAndWhatIsBroken) {
    copy_model("mine");
    fs::remove_all(copy_model("broken") / "unet");
    const Outcome outcome = run({"models"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.out, HasSubstr("tessera-tiny  SD-like   128x128    fp16"));
    EXPECT_THAT(outcome.out, HasSubstr("mine "));
    EXPECT_THAT(outcome.out, HasSubstr("broken        not usable: "));
}

TEST_F(ModelsCommand, ListsThemAsJson) {
    fs::remove_all(copy_model("broken") / "unet");
    const auto json = nlohmann::json::parse(run({"models", "--json"}).out);
    ASSERT_EQ(json["models"].size(), 2U);
    EXPECT_EQ(json["models"][0]["usable"], false);
    EXPECT_THAT(json["models"][0]["problem"].get<std::string>(), HasSubstr("unet"));
    EXPECT_EQ(json["models"][1]["usable"], true);
    EXPECT_EQ(json["models"][1]["shipped"], true);
    EXPECT_EQ(json["models"][1]["native_width"], 128);
    EXPECT_EQ(json["models"][1]["precision"], "fp16");
}

TEST_F(ModelsCommand, ShowsTheWordsOfOne) {
    const Outcome outcome = run({"models", "tessera-tiny"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.out, HasSubstr("lighthouse"));
    EXPECT_THAT(outcome.out, HasSubstr("tessera render \""));
}

TEST_F(ModelsCommand, SaysWhatIsWrongWithOne) {
    fs::remove_all(copy_model("broken") / "unet");
    expect_complaint(run({"models", "broken"}), 1, {"unet"});
    expect_complaint(run({"models", "none"}), 2, {"none", "tessera-tiny"});
}

TEST_F(InfoCommand, ShowsWhatOtherProgramsWrote) {
    const Outcome outcome = run({"info", TESSERA_TEST_DATA "/imaging/a1111_chinese.jpg"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("JPEG"));
    EXPECT_THAT(outcome.out, HasSubstr("Steps "));
}

TEST_F(InfoCommand, SaysWhenAPictureTellsNothing) {
    const Outcome outcome = run({"info", TESSERA_TEST_DATA "/imaging/gradient.png"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.out, HasSubstr("says nothing"));
}

TEST_F(InfoCommand, ShowsItAsJson) {
    ASSERT_EQ(
        run({"render",
             "a lake",
             "--steps",
             "1",
             "--size",
             "8x8",
             "--seed",
             "3",
             "--no-cache",
             "--out",
             "a.png"})
            .exit_code,
        0
    );
    const auto json = nlohmann::json::parse(run({"info", "a.png", "--json"}).out);
    EXPECT_EQ(json["format"], "PNG");
    EXPECT_EQ(json["width"], 8);
    EXPECT_EQ(json["prompt"], "a lake");
    EXPECT_EQ(json["parameters"]["Seed"], "3");
    EXPECT_EQ(json["tessera"]["seed"], 3);
}

TEST_F(DoctorCommand, FindsAllWellHere) {
    const Outcome outcome = run({"doctor"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr("ok    model tessera-tiny"));
    EXPECT_THAT(outcome.out, HasSubstr("fingerprint"));
    EXPECT_THAT(outcome.out, HasSubstr("PNG, JPEG, WebP"));
}

TEST_F(DoctorCommand, NamesTheMendWhenNoModelIsThere) {
    environment["TESSERA_DATA_DIR"] = (root / "nothing").string();
    const Outcome outcome = run({"doctor"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.out, HasSubstr("MISS  models"));
    EXPECT_THAT(outcome.out, HasSubstr("mend: "));
    const auto json = nlohmann::json::parse(run({"doctor", "--json"}).out);
    EXPECT_EQ(json["healthy"], false);
}

TEST_F(DoctorCommand, TellsOfABrokenModelAndAnUnusableCache) {
    fs::remove_all(copy_model("broken") / "vae");
    environment["TESSERA_CACHE_DIR"] = "/proc/nowhere";
    const Outcome outcome = run({"doctor"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.out, HasSubstr("weak  model broken"));
    EXPECT_THAT(outcome.out, HasSubstr("weak  cache folder"));
}

TEST_F(CacheCommand, PrintsItsFolder) {
    EXPECT_EQ(run({"cache", "path"}).out, (cache / "engines").string() + "\n");
}

TEST_F(CacheCommand, ListsPrunesAndClears) {
    const auto entries = [&] {
        return nlohmann::json::parse(run({"cache", "list", "--json"}).out)["entries"].size();
    };
    ASSERT_EQ(run({"render", "a lake", "--steps", "1", "--size", "8x8"}).exit_code, 0);
    EXPECT_EQ(entries(), 3U);
    EXPECT_THAT(run({"cache"}).out, HasSubstr("unet"));
    EXPECT_EQ(run({"cache", "prune", "--budget", "20GB"}).exit_code, 0);
    EXPECT_EQ(entries(), 3U);
    EXPECT_EQ(run({"cache", "prune", "--budget", "1kB"}).exit_code, 0);
    EXPECT_EQ(entries(), 0U);
    ASSERT_EQ(run({"render", "a lake", "--steps", "1", "--size", "8x8"}).exit_code, 0);
    EXPECT_EQ(run({"cache", "clear"}).exit_code, 0);
    EXPECT_EQ(entries(), 0U);
    expect_complaint(run({"cache", "prune", "--budget", "much"}), 2, {"much"});
}

TEST_F(ExportOnnxCommand, WritesNetworksTokenizerScheduleAndReadme) {
    const Outcome outcome = run({"export-onnx", "tessera-tiny", "onnx/tiny"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    for (const std::string network : {"text_encoder", "unet", "vae_decoder", "vae_encoder"}) {
        EXPECT_GT(fs::file_size(work / "onnx/tiny" / (network + ".onnx")), 1000U);
        EXPECT_GT(fs::file_size(work / "onnx/tiny" / (network + ".onnx.data")), 1000U);
        EXPECT_THAT(outcome.out, HasSubstr("onnx/tiny/" + network + ".onnx\n"));
    }
    // Operators of one runtime alone would show by their domain.
    EXPECT_THAT(read_text(work / "onnx/tiny/unet.onnx"), Not(HasSubstr("com.microsoft")));
    EXPECT_TRUE(fs::is_regular_file(work / "onnx/tiny/tokenizer/vocab.json"));
    EXPECT_TRUE(fs::is_regular_file(work / "onnx/tiny/scheduler_config.json"));
    EXPECT_THAT(read_text(work / "onnx/tiny/README.md"), HasSubstr("`encoder_hidden_states`"));
    EXPECT_FALSE(fs::exists(cache / "engines"));
}

TEST_F(ExportOnnxCommand, LeavesNothingOfAHalfModel) {
    fs::remove(copy_model("half") / "unet" / "diffusion_pytorch_model.safetensors");
    expect_complaint(run({"export-onnx", "half", "onnx"}), 1, {"unet"});
    EXPECT_THAT(work_files(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace tessera::e2e
