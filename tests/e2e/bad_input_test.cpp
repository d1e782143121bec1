#include "program.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <fstream>

namespace tessera::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;

/// What nobody asked for must not be left behind either.
class BadInput : public ProgramTest {
  protected:
    void expect_refused(
        std::vector<std::string> arguments, int exit_code, const std::vector<std::string>& words
    ) {
        const auto before = work_files();
        const Outcome outcome = run(std::move(arguments));
        expect_complaint(outcome, exit_code, words);
        EXPECT_THAT(outcome.out, IsEmpty());
        EXPECT_EQ(work_files(), before);
    }
};

TEST_F(BadInput, NamesTheInstalledModelsWhenThereIsNoSuchOne) {
    expect_refused(
        {"render", "a lake", "-m", "no-such-model"},
        kWrongUse,
        {"no-such-model", "tessera-tiny", "-m FOLDER"}
    );
}

TEST_F(BadInput, SaysWhereModelsGoWhenThereIsNone) {
    environment["TESSERA_DATA_DIR"] = (root / "nothing").string();
    expect_refused({"render", "a lake"}, kWrongUse, {"none is installed", models.string()});
}

TEST_F(BadInput, NamesTheMissingComponentOfHalfAModel) {
    fs::remove_all(copy_model("half") / "vae");
    expect_refused({"render", "a lake", "-m", "half"}, kFailed, {"half a model", "vae"});
}

TEST_F(BadInput, NamesTheMissingWeightFileOfHalfAModel) {
    fs::remove(copy_model("half") / "vae" / "diffusion_pytorch_model.safetensors");
    expect_refused(
        {"render", "a lake", "-m", "half"},
        kFailed,
        {"half a model", "vae", "diffusion_pytorch_model.safetensors", "download it again"}
    );
}

TEST_F(BadInput, NamesTheMissingConfiguration) {
    fs::remove(copy_model("half") / "unet" / "config.json");
    expect_refused({"render", "a lake", "-m", "half"}, kFailed, {"unet", "config.json"});
}

TEST_F(BadInput, RefusesAFolderThatIsNoModel) {
    fs::create_directories(work / "folder");
    expect_refused({"render", "a lake", "-m", "folder"}, kWrongUse, {"folder", "model_index.json"});
}

TEST_F(BadInput, RefusesATruncatedSafetensors) {
    const auto file = copy_model("cut") / "unet" / "diffusion_pytorch_model.safetensors";
    fs::resize_file(file, fs::file_size(file) / 2);
    expect_refused(
        {"render", "a lake", "-m", "cut"}, kFailed, {"unet", "diffusion_pytorch_model.safetensors"}
    );
}

TEST_F(BadInput, RefusesASafetensorsThatLiesAboutItsHeader) {
    const auto file = copy_model("lying") / "unet" / "diffusion_pytorch_model.safetensors";
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    const std::uint64_t length = ~std::uint64_t{0} / 2;
    stream.write(reinterpret_cast<const char*>(&length), sizeof(length));
    stream.close();
    expect_refused(
        {"render", "a lake", "-m", "lying"},
        kFailed,
        {"diffusion_pytorch_model.safetensors", "header"}
    );
}

TEST_F(BadInput, NamesTheTensorThatConfigurationAndWeightsDisagreeOn) {
    const auto model = copy_model("misshapen");
    const auto config = model / "unet" / "config.json";
    std::string text = read_text(config);
    const auto at = text.find("\"layers_per_block\": ");
    ASSERT_NE(at, std::string::npos);
    text[at + std::string("\"layers_per_block\": ").size()] = '7';
    write_text(config, text);
    expect_refused(
        {"render", "a lake", "-m", "misshapen", "--steps", "1"}, kWrongUse, {"down_blocks.0."}
    );
}

TEST_F(BadInput, RefusesAPromptOfAHundredKilobytes) {
    expect_refused({"render", std::string(100'000, 'a')}, kWrongUse, {"prompt", "65536"});
}

TEST_F(BadInput, RefusesANegativePromptOfAHundredKilobytes) {
    expect_refused(
        {"render", "a lake", "-n", std::string(100'000, 'a')}, kWrongUse, {"negative prompt"}
    );
}

TEST_F(BadInput, RefusesInvalidUtf8) {
    expect_refused({"render", "a \xFF lake"}, kWrongUse, {"prompt", "byte 2", "UTF-8"});
    expect_refused({"render", "a", "-n", "\xC3"}, kWrongUse, {"negative prompt", "UTF-8"});
}

TEST_F(BadInput, RefusesSizesThatNoPictureCanHave) {
    for (const std::string size : {"0x128", "128x0", "-128x128", "128x-8"}) {
        expect_refused(
            {"render", "a lake", "--size", size}, kWrongUse, {size + " is not possible", "8192"}
        );
    }
    for (const std::string size : {"100x128", "128x132", "0x128"}) {
        expect_refused(
            {"render", "a lake", "--exact-size", "--size", size},
            kWrongUse,
            {"is not possible", "multiple of 8"}
        );
    }
}

TEST_F(BadInput, RefusesSizesBeyondTheLimit) {
    expect_refused({"render", "a lake", "--size", "8193x128"}, kWrongUse, {"8193x128", "8192"});
    expect_refused(
        {"render", "a lake", "--exact-size", "--size", "4096x128"},
        kWrongUse,
        {"width 4096", "2048"}
    );
    expect_refused({"render", "a lake", "--size", "99999999999x8"}, kWrongUse, {"WIDTHxHEIGHT"});
}

TEST_F(BadInput, RefusesWhatIsNoSize) {
    for (const std::string size : {"big", "128", "128x", "x128", "128x128x3", "12.5x8"}) {
        expect_refused({"render", "a lake", "--size", size}, kWrongUse, {size, "WIDTHxHEIGHT"});
    }
}

TEST_F(BadInput, RefusesStepsOutOfRange) {
    for (const std::string steps : {"0", "-3", "100000"}) {
        expect_refused({"render", "a lake", "--steps", steps}, kWrongUse, {"steps", steps});
    }
}

TEST_F(BadInput, RefusesOtherNumbersOutOfRange) {
    expect_refused({"render", "a lake", "--cfg", "nan"}, kWrongUse, {"guidance scale"});
    expect_refused({"render", "a lake", "--cfg", "0.5"}, kWrongUse, {"guidance scale", "0.5"});
    expect_refused(
        {"render", "a lake", "--seed", "18446744073709551616"},
        kWrongUse,
        {"seed", "18446744073709551615"}
    );
    expect_refused({"render", "a lake", "--seed", "-2"}, kWrongUse, {"seed -2"});
    expect_refused({"render", "a lake", "--count", "0"}, kWrongUse, {"--count"});
    expect_refused({"render", "a lake", "--threads", "-1"}, kWrongUse, {"threads"});
    expect_refused({"render", "a lake", "--strength", "0.5"}, kWrongUse, {"--init"});
    expect_refused({"render", "a lake", "--quality", "80"}, kWrongUse, {"--quality", "PNG"});
    expect_refused(
        {"render", "a lake", "--quality", "0", "--format", "webp"}, kWrongUse, {"quality 0"}
    );
}

TEST_F(BadInput, ListsTheSamplersWhenThereIsNoSuchOne) {
    expect_refused({"render", "a lake", "--sampler", "Eulr"}, kWrongUse, {"\"Eulr\"", "Euler a"});
    expect_refused(
        {"render", "a lake", "--sampler", "Rembrandt"}, kWrongUse, {"Euler a", "DPM++ 2M"}
    );
}

TEST_F(BadInput, RefusesAnInitPictureThatIsNone) {
    write_text(work / "init.png", "this is not a picture");
    expect_refused({"render", "a lake", "--init", "init.png"}, kWrongUse, {"init.png", "PNG"});
    write_text(work / "empty.png", "");
    expect_refused({"render", "a lake", "--init", "empty.png"}, kWrongUse, {"empty.png"});
    expect_refused({"render", "a lake", "--init", "none.png"}, kWrongUse, {"none.png"});
    expect_refused({"render", "a lake", "--init", "."}, kFailed + 1, {"."});
}

TEST_F(BadInput, RefusesAnInitPictureThatIsADecompressionBomb) {
    const std::string bomb = TESSERA_TEST_DATA "/imaging/bomb.png";
    expect_refused({"render", "a lake", "--init", bomb}, kFailed, {"bomb.png", "pixels"});
}

TEST_F(BadInput, RefusesAStrengthOutOfRange) {
    const std::string picture = TESSERA_TEST_DATA "/imaging/gradient.png";
    expect_refused(
        {"render", "a lake", "--init", picture, "--strength", "1.5"}, kWrongUse, {"strength", "1.5"}
    );
}

TEST_F(BadInput, RefusesAFolderThatDoesNotExist) {
    expect_refused(
        {"render", "a lake", "--out", "no/such/folder/a.png"},
        kWrongUse,
        {"no/such/folder", "does not exist", "--out"}
    );
    expect_refused(
        {"render", "a lake", "--out", "no-such-folder/"}, kWrongUse, {"no-such-folder", "--out"}
    );
}

TEST_F(BadInput, RefusesAFileInPlaceOfAFolder) {
    write_text(work / "file", "");
    expect_refused({"render", "a lake", "--out", "file/a.png"}, kWrongUse, {"file", "--out"});
}

TEST_F(BadInput, RefusesAFolderThatCannotBeWrittenTo) {
    // Not even root may make files there.
    expect_refused(
        {"render", "a lake", "--out", "/proc/a.png"}, kWrongUse, {"/proc", "cannot be written to"}
    );
}

TEST_F(BadInput, NeverReplacesADevice) {
    expect_refused({"render", "a lake", "--out", "/dev/null"}, kWrongUse, {"/dev/null"});
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(BadInput, RefusesNamesAndFormatsThatDisagree) {
    expect_refused(
        {"render", "a lake", "--out", "a.jpg", "--format", "png"}, kWrongUse, {"a.jpg", "JPEG"}
    );
    expect_refused({"render", "a lake", "--out", "a.gif"}, kWrongUse, {"a.gif", ".png"});
    expect_refused({"render", "a lake", "--format", "tiff"}, kWrongUse, {"tiff"});
}

TEST_F(BadInput, RefusesCommandLinesThatMakeNoSense) {
    expect_refused({}, kWrongUse, {"--help"});
    expect_refused({"paint"}, kWrongUse, {"--help"});
    expect_refused({"render"}, kWrongUse, {"PROMPT"});
    expect_refused({"render", "a", "lake"}, kWrongUse, {"lake", "quotes"});
    expect_refused({"render", "a lake", "--steps", "many"}, kWrongUse, {"--steps"});
    expect_refused({"render", "a lake", "--no-such-option"}, kWrongUse, {"--no-such-option"});
}

TEST_F(BadInput, KeepsEscapeSequencesOffTheTerminal) {
    const Outcome outcome = run({"render", "a lake", "-m", "\x1b[2Jgone"});
    EXPECT_EQ(outcome.exit_code, kWrongUse);
    EXPECT_EQ(outcome.err.find('\x1b'), std::string::npos) << outcome.err;
}

TEST_F(BadInput, TellsOfItAsJsonToo) {
    const Outcome outcome = run({"render", "a lake", "--steps", "0", "--json"});
    expect_complaint(outcome, kWrongUse, {"steps"});
    EXPECT_THAT(outcome.out, ::testing::HasSubstr("\"kind\": \"invalid argument\""));
}

TEST_F(BadInput, RefusesToShowWhatIsNoPicture) {
    write_text(work / "text.png", "no picture");
    expect_refused({"info", "text.png"}, kWrongUse, {"text.png"});
    expect_refused({"info", "none.png"}, kWrongUse, {"none.png"});
    expect_refused({"repeat", "text.png"}, kWrongUse, {"text.png"});
}

TEST_F(BadInput, RefusesToRepeatAPictureThatSaysNothingOfItself) {
    const std::string picture = TESSERA_TEST_DATA "/imaging/gradient.png";
    expect_refused({"repeat", picture}, kWrongUse, {"gradient.png", "says nothing"});
}

TEST_F(BadInput, RefusesExportsThatCannotBe) {
    write_text(work / "file", "");
    expect_refused({"export-onnx", "tessera-tiny", "file"}, kWrongUse, {"file"});
    expect_refused({"export-onnx", "none", "folder"}, kWrongUse, {"none", "tessera-tiny"});
}

}  // namespace
}  // namespace tessera::e2e
