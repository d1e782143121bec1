#include "checkpoint/safetensors_writer.h"
#include "imaging/codec.h"
#include "imaging/infotext.h"
#include "imaging/metadata.h"
#include "imaging/resize.h"
#include "program.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <signal.h>

#include <cstdlib>

namespace tessera::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;
constexpr int kInterrupted = 130;

class UpscaleCommand : public ProgramTest {
  protected:
    UpscaleCommand() { put_picture("sea.png", 48, 32); }

    /// A smooth gradient, with something to find in its corner.
    void put_picture(
        const std::string& name,
        int width,
        int height,
        int channels = 3,
        const PictureMetadata& metadata = {}
    ) {
        Image image{width, height, channels, {}};
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
                const int values[] = {
                    40 + 160 * x / width, 40 + 160 * y / height, 120, x < width / 2 ? 255 : 100};
                for (int channel = 0; channel < channels; ++channel) {
                    image.pixels.push_back(static_cast<std::uint8_t>(values[channel]));
                }
            }
        }
        const auto file = encode(image, PictureFormat::kPng, {}, metadata);
        ASSERT_TRUE(file) << file.error().message;
        write_text(work / name, std::string(as_text(*file)));
    }
    Image picture(const std::string& name) {
        auto image = decode(as_bytes(read_text(work / name)));
        EXPECT_TRUE(image) << name;
        return image.value_or(Image{});
    }
    PictureMetadata metadata_of(const std::string& name) {
        auto metadata = extract_metadata(as_bytes(read_text(work / name)));
        EXPECT_TRUE(metadata) << name;
        return metadata.value_or(PictureMetadata());
    }
    /// Without the engine cache, which takes longer to fill than they take.
    Outcome upscale(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "upscale");
        arguments.emplace_back("--no-cache");
        return run(std::move(arguments));
    }
    void expect_refused(
        std::vector<std::string> arguments, int exit_code, const std::vector<std::string>& words
    ) {
        const auto before = work_files();
        const Outcome outcome = upscale(std::move(arguments));
        expect_complaint(outcome, exit_code, words);
        EXPECT_THAT(outcome.out, IsEmpty());
        EXPECT_EQ(work_files(), before);
    }
    /// A network that adds nothing to the nearest neighbour of each pixel.
    void put_network(const fs::path& file, int scale) {
        const std::vector<float> zeros(2000);
        const auto tensor = [&](const char* name, const Shape& shape) {
            const auto values = std::span(zeros).first(element_count(shape));
            return NamedTensor{name, {DType::kF32, shape, std::as_bytes(values)}};
        };
        const std::int64_t pixels = std::int64_t{3} * scale * scale;
        const std::vector<NamedTensor> tensors{
            tensor("body.0.weight", {4, 3, 3, 3}),
            tensor("body.0.bias", {4}),
            tensor("body.1.weight", {4}),
            tensor("body.2.weight", {pixels, 4, 3, 3}),
            tensor("body.2.bias", {pixels}),
        };
        fs::create_directories(file.parent_path());
        ASSERT_TRUE(write_safetensors(file, tensors));
    }
};

TEST_F(UpscaleCommand, DoublesByTheShippedNetwork) {
    const Outcome outcome = upscale({"sea.png"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "sea-x2.png\n");
    EXPECT_THAT(work_files(), ElementsAre("sea-x2.png", "sea.png"));
    EXPECT_THAT(outcome.err, HasSubstr("48x32 to 96x64 by tessera-tiny-upscaler-x2"));
    const Image large = picture("sea-x2.png");
    ASSERT_EQ(large.width, 96);
    ASSERT_EQ(large.height, 64);
    const Image lanczos = resize(picture("sea.png"), 96, 64).value();
    double sum = 0.0;
    for (std::size_t at = 0; at < lanczos.pixels.size(); ++at) {
        sum += std::abs(large.pixels[at] - lanczos.pixels[at]);
    }
    EXPECT_LT(sum / static_cast<double>(lanczos.pixels.size()), 2.0);
    EXPECT_NE(large, lanczos);
}

TEST_F(UpscaleCommand, ReachesAnySize) {
    const std::pair<const char*, int> scales[] = {{"1", 48}, {"1.5", 72}, {"3", 144}, {"4", 192}};
    for (const auto& [scale, width] : scales) {
        const Outcome outcome = upscale({"sea.png", "--scale", scale, "--out", "large.png"});
        ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
        EXPECT_EQ(picture("large.png").width, width);
        EXPECT_EQ(picture("large.png").height, width * 2 / 3);
    }
}

TEST_F(UpscaleCommand, InterpolatesByLanczos) {
    put_picture("clear.png", 30, 20, 4);
    const Outcome outcome =
        upscale({"clear.png", "--upscaler", "lanczos", "--scale", "2.5", "--out", "large.png"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(picture("large.png"), resize(picture("clear.png"), 75, 50).value());
}

TEST_F(UpscaleCommand, KeepsAlpha) {
    put_picture("clear.png", 30, 20, 4);
    ASSERT_EQ(upscale({"clear.png"}).exit_code, 0);
    EXPECT_EQ(picture("clear-x2.png").channels, 4);
}

TEST_F(UpscaleCommand, KeepsTheSourcesMetadataAndAddsToIt) {
    const std::string text = "a lake\nSteps: 20, Sampler: Euler a, Seed: 7, Size: 48x32";
    put_picture("lake.png", 48, 32, 3, {text, R"({"version":1,"seed":7})"});
    for (const std::string name : {"large.png", "large.jpg", "large.webp"}) {
        ASSERT_EQ(upscale({"lake.png", "--scale", "1.5", "--out", name}).exit_code, 0);
        const PictureMetadata metadata = metadata_of(name);
        EXPECT_TRUE(metadata.parameters.starts_with(text + ", ")) << metadata.parameters;
        const Infotext read = parse_infotext(metadata.parameters);
        EXPECT_EQ(read.prompt, "a lake");
        EXPECT_EQ(read.find("Postprocess upscale by"), "1.5");
        EXPECT_EQ(read.find("Postprocess upscale to"), "72x48");
        EXPECT_EQ(read.find("Postprocess upscaler"), "tessera-tiny-upscaler-x2");
        const auto json = nlohmann::json::parse(metadata.tessera_json);
        EXPECT_EQ(json["seed"], 7);
        EXPECT_EQ(json["postprocess"][0]["upscaler"], "tessera-tiny-upscaler-x2");
    }
}

TEST_F(UpscaleCommand, GivesTheSameBytesWhateverTheThreads) {
    ASSERT_EQ(upscale({"sea.png", "--threads", "1", "--out", "one.png"}).exit_code, 0);
    ASSERT_EQ(upscale({"sea.png", "--threads", "3", "--out", "three.png"}).exit_code, 0);
    EXPECT_EQ(read_text(work / "one.png"), read_text(work / "three.png"));
}

TEST_F(UpscaleCommand, GoesOnAfterABadPictureAndReportsItAtTheEnd) {
    write_text(work / "bad.png", "this is no picture");
    put_picture("lake.png", 20, 20);
    const Outcome outcome =
        upscale({"sea.png", "bad.png", "missing.png", "lake.png", "--scale", "1.5"});
    expect_complaint(outcome, kWrongUse, {"2 of 4 pictures", "bad.png"});
    EXPECT_EQ(outcome.out, "sea-x1.5.png\nlake-x1.5.png\n");
    EXPECT_THAT(outcome.err, HasSubstr("left out: bad.png"));
    EXPECT_THAT(outcome.err, HasSubstr("left out: missing.png"));
    EXPECT_THAT(
        work_files(), ElementsAre("bad.png", "lake-x1.5.png", "lake.png", "sea-x1.5.png", "sea.png")
    );
}

TEST_F(UpscaleCommand, TellsOfAllAsJson) {
    write_text(work / "bad.png", "this is no picture");
    const Outcome outcome = upscale({"sea.png", "bad.png", "--tile", "64", "--json"});
    EXPECT_EQ(outcome.exit_code, kWrongUse);
    const auto json = nlohmann::json::parse(outcome.out);
    ASSERT_EQ(json["pictures"].size(), 1U);
    const auto& made = json["pictures"][0];
    EXPECT_EQ(made["path"], "sea-x2.png");
    EXPECT_EQ(made["source"], "sea.png");
    EXPECT_EQ(made["width"], 96);
    EXPECT_EQ(made["scale"], 2.0);
    EXPECT_EQ(made["tile"], 64);
    ASSERT_EQ(json["failed"].size(), 1U);
    EXPECT_EQ(json["failed"][0]["source"], "bad.png");
    EXPECT_EQ(json["failed"][0]["error"]["kind"], "unsupported");
    EXPECT_EQ(json["error"]["kind"], "unsupported");
}

TEST_F(UpscaleCommand, FindsTheUsersNetworksByNameAndByPath) {
    put_network(models / "upscalers" / "mine.safetensors", 4);
    const Outcome named = upscale({"sea.png", "--upscaler", "mine", "--scale", "4"});
    ASSERT_EQ(named.exit_code, 0) << named.err;
    EXPECT_EQ(picture("sea-x4.png").width, 192);
    put_network(work / "here.safetensors", 2);
    const Outcome path = upscale({"sea.png", "--upscaler", "here.safetensors"});
    ASSERT_EQ(path.exit_code, 0) << path.err;
    EXPECT_EQ(
        parse_infotext(metadata_of("sea-x2.png").parameters).find("Postprocess upscaler"), "here"
    );
    // The folder is no model.
    EXPECT_THAT(run({"models"}).out, Not(HasSubstr("upscalers")));
}

TEST_F(UpscaleCommand, RestoresFirstAndAtScaleOneThatAlone) {
    put_network(models / "upscalers" / "tessera-tiny-restore.safetensors", 1);
    const Outcome alone = upscale({"sea.png", "--restore", "--scale", "1"});
    ASSERT_EQ(alone.exit_code, 0) << alone.err;
    EXPECT_EQ(alone.out, "sea-x1.png\n");
    // This network changes nothing.
    EXPECT_EQ(picture("sea-x1.png"), picture("sea.png"));
    const Infotext text = parse_infotext(metadata_of("sea-x1.png").parameters);
    EXPECT_EQ(text.find("Postprocess restorer"), "tessera-tiny-restore");
    EXPECT_EQ(text.find("Postprocess upscaler"), "None");

    ASSERT_EQ(upscale({"sea.png", "--restore", "--out", "both.png"}).exit_code, 0);
    ASSERT_EQ(upscale({"sea.png", "--out", "plain.png"}).exit_code, 0);
    EXPECT_EQ(picture("both.png"), picture("plain.png"));
    EXPECT_EQ(
        parse_infotext(metadata_of("both.png").parameters).find("Postprocess restorer"),
        "tessera-tiny-restore"
    );
}

TEST_F(UpscaleCommand, SaysWhatIsMissingWhereThereIsNoRestoringNetwork) {
    environment["TESSERA_DATA_DIR"] = (root / "nothing").string();
    expect_refused(
        {"sea.png", "--restore"},
        kWrongUse,
        {"tessera-tiny-restore", "Lanczos", (models / "upscalers").string()}
    );
}

TEST_F(UpscaleCommand, RestoresOnlyByANetworkThatKeepsTheSize) {
    put_network(models / "upscalers" / "tessera-tiny-restore.safetensors", 2);
    expect_refused({"sea.png", "--restore"}, kWrongUse, {"enlarges by 2", "keeps the size"});
}

TEST_F(UpscaleCommand, ListsTheUpscalers) {
    put_network(models / "upscalers" / "mine.safetensors", 4);
    write_text(models / "upscalers" / "broken.safetensors", "nonsense");
    const Outcome list = run({"upscale", "--list"});
    EXPECT_EQ(list.exit_code, 0);
    EXPECT_THAT(list.out, HasSubstr("Lanczos"));
    EXPECT_THAT(list.out, HasSubstr("tessera-tiny-upscaler-x2"));
    EXPECT_THAT(list.out, HasSubstr("mine"));
    EXPECT_THAT(list.out, HasSubstr("x4"));
    EXPECT_THAT(list.out, HasSubstr("not usable"));
    const auto json = nlohmann::json::parse(run({"upscale", "--list", "--json"}).out);
    ASSERT_GE(json["upscalers"].size(), 4U);
    EXPECT_EQ(json["upscalers"][0]["name"], "Lanczos");
    EXPECT_EQ(json["upscalers"][1]["name"], "broken");
    EXPECT_EQ(json["upscalers"][1]["usable"], false);
    EXPECT_EQ(json["upscalers"][2]["scale"], 4);
    EXPECT_EQ(json["upscalers"][2]["shipped"], false);
}

TEST_F(UpscaleCommand, RefusesAnUpscalerThatIsSomethingElse) {
    const auto model = fs::path(TESSERA_WEIGHTS) / "tessera-tiny";
    const auto unet = (model / "unet" / "diffusion_pytorch_model.safetensors").string();
    expect_refused({"sea.png", "--upscaler", unet}, kWrongUse, {"no upscaler", "UNet"});
    expect_refused({"sea.png", "--upscaler", "no-such"}, kWrongUse, {"no-such", "Lanczos"});
    expect_refused({"sea.png", "--upscaler", "sea.png"}, kFailed, {"sea.png"});
    expect_refused({"sea.png", "--upscaler", work.string()}, kWrongUse, {work.string()});
    write_text(work / "x4.pth", "PK");
    expect_refused({"sea.png", "--upscaler", "x4.pth"}, kWrongUse, {"pickle", "safetensors"});
}

TEST_F(UpscaleCommand, RefusesWhatIsNoPicture) {
    write_text(work / "bad.png", "this is no picture");
    expect_refused({"bad.png"}, kWrongUse, {"bad.png", "PNG"});
    expect_refused({"missing.png"}, kWrongUse, {"missing.png"});
    expect_refused({}, kWrongUse, {"no picture is named"});
    const std::string whole = read_text(work / "sea.png");
    write_text(work / "cut.png", whole.substr(0, whole.size() / 2));
    expect_refused({"cut.png"}, kFailed, {"cut.png"});
}

TEST_F(UpscaleCommand, RefusesNumbersOutOfRange) {
    for (const std::string scale : {"0", "0.5", "8.1", "-2", "1e9", "nan", "inf"}) {
        expect_refused({"sea.png", "--scale=" + scale}, kWrongUse, {"scale", "1 to 8"});
    }
    expect_refused({"sea.png", "--scale", "much"}, kWrongUse, {"scale"});
    for (const std::string tile : {"31", "-64", "5000"}) {
        expect_refused({"sea.png", "--tile=" + tile}, kWrongUse, {"tile", "32 to 4096"});
    }
    expect_refused({"sea.png", "--threads=-1"}, kWrongUse, {"threads"});
}

TEST_F(UpscaleCommand, RefusesResultsBeyondTheLimits) {
    put_picture("wide.png", 3000, 10);
    expect_refused(
        {"wide.png", "--scale", "8"}, kWrongUse, {"wide.png", "16384", "smaller --scale"}
    );
    put_picture("large.png", 1500, 1400);
    expect_refused({"large.png", "--scale", "8"}, kWrongUse, {"67 million", "smaller --scale"});
    put_picture("almost.png", 2048, 10);
    expect_refused({"almost.png", "--scale", "8", "--out", "a.webp"}, kWrongUse, {"16383"});
}

TEST_F(UpscaleCommand, StopsByCtrlCAndLeavesNothing) {
    put_picture("large.png", 2000, 2000);
    const pid_t process = start({"upscale", "large.png", "--scale", "4", "--tile", "64"});
    wait_for_text(process, root / "stderr", "tile ");
    ASSERT_EQ(::kill(process, SIGINT), 0);
    const Outcome outcome = finish(process);
    expect_complaint(outcome, kInterrupted, {"stopped"});
    EXPECT_THAT(outcome.err, HasSubstr("left"));
    EXPECT_THAT(work_files(), ElementsAre("large.png", "sea.png"));
}

}  // namespace
}  // namespace tessera::e2e
