#include "imaging/a1111_parameters.h"

#include "imaging/metadata_file_test.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <set>

namespace tessera {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kPlain =
    "a lake\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x96, Model: m";

std::string refusal(const std::string& text) {
    const auto read = read_a1111_parameters(text);
    EXPECT_FALSE(read) << text;
    return read ? "" : read.error().message;
}

TEST(A1111Parameters, ReadsAPlainText) {
    const auto read = read_a1111_parameters(kPlain);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->program, "A1111");
    EXPECT_EQ(read->prompt, "a lake");
    EXPECT_EQ(read->steps, 20);
    EXPECT_EQ(read->sampler, "Euler a");
    EXPECT_EQ(read->scheduler, "");
    EXPECT_EQ(read->cfg, 7.0);
    EXPECT_EQ(read->seed, 1U);
    EXPECT_EQ(read->width, 64);
    EXPECT_EQ(read->height, 96);
    EXPECT_EQ(read->model, "m");
    // A1111's own default, which it does not write.
    EXPECT_EQ(read->noise, ForeignNoise::kTorchCuda);
    EXPECT_FALSE(read->from_picture);
    EXPECT_FALSE(read->hires);
    EXPECT_THAT(read->not_honoured, IsEmpty());
    EXPECT_TRUE(check_complete(*read));
}

TEST(A1111Parameters, ReadsASecondPassAndListsWhatIsLost) {
    const auto read = read_a1111_parameters(metadata_file("a1111_hires.txt"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_FALSE(read->from_picture);
    ForeignHires hires;
    hires.scale = 2.0;
    hires.upscaler = "R-ESRGAN 4x+";
    hires.denoise = 0.7;
    hires.steps = 10;
    hires.scheduler = "Exponential";
    hires.prompt = "a castle, sharp";
    EXPECT_EQ(read->hires, hires);
    EXPECT_EQ(read->scheduler, "Karras");
    EXPECT_EQ(read->variation, (ForeignVariation{12, 0.3}));
    EXPECT_EQ(read->seed_resize_width, 512);
    EXPECT_EQ(read->seed_resize_height, 512);
    EXPECT_EQ(read->clip_skip, 2);
    EXPECT_EQ(read->later_seed_offset, 31337);
    EXPECT_EQ(read->noise, ForeignNoise::kTorchCpu);
    EXPECT_THAT(
        read->not_honoured,
        ElementsAre(
            HasSubstr("\"VAE: vae-ft-mse-840000-ema-pruned.safetensors\" is not possible here"),
            HasSubstr("\"NGMS: 2.5\""),
            "\"Some Extension Key: 5\" is not known here"
        )
    );
}

TEST(A1111Parameters, ReadsInpainting) {
    const auto read = read_a1111_parameters(metadata_file("a1111_inpaint.txt"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->from_picture);
    EXPECT_EQ(read->denoise, 0.75);
    ForeignInpaint inpaint;
    inpaint.mask_blur = 4.0;
    inpaint.content = ForeignInpaint::Content::kLatentNoise;
    inpaint.is_inverted = true;
    inpaint.only_masked = true;
    inpaint.padding = 48;
    EXPECT_EQ(read->inpaint, inpaint);
    EXPECT_EQ(read->seed, 18446744073709551615U);
    EXPECT_TRUE(read->plain_prompt);
    EXPECT_TRUE(read->zero_terminal_snr);
    EXPECT_EQ(read->guidance_begin, 0.1);
    EXPECT_EQ(read->s_noise, 1.02);
    EXPECT_EQ(read->eta, 0.8);
    EXPECT_THAT(
        read->not_honoured, ElementsAre(HasSubstr("the mask"), HasSubstr("Conditional mask weight"))
    );
}

TEST(A1111Parameters, ReadsStableDiffusionCpp) {
    const auto read = read_a1111_parameters(metadata_file("sdcpp.txt"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->program, "stable-diffusion.cpp");
    EXPECT_EQ(read->negative_prompt, "dogs");
    EXPECT_EQ(read->cfg, 7.0);
    EXPECT_EQ(read->sampler, "euler_a");
    EXPECT_EQ(read->scheduler, "karras");
    EXPECT_EQ(read->noise, ForeignNoise::kTorchCuda);
    EXPECT_EQ(read->clip_skip, std::nullopt);
    EXPECT_EQ(read->eta, std::nullopt);
    EXPECT_THAT(
        read->not_honoured, ElementsAre(HasSubstr("euler_a draws noise"), HasSubstr("\"VAE: "))
    );
}

TEST(A1111Parameters, FirstPassSizeIsTheOldWayToSayHires) {
    const auto read = read_a1111_parameters(
        "a\nSteps: 20, Seed: 1, Size: 1024x768, First pass size: 512x384, Denoising strength: 0.6"
    );
    ASSERT_TRUE(read);
    EXPECT_EQ(read->width, 512);
    EXPECT_EQ(read->hires->width, 1024);
    EXPECT_EQ(read->hires->height, 768);
    EXPECT_EQ(read->hires->denoise, 0.6);
}

TEST(A1111Parameters, AValueWithoutEffectIsNoLoss) {
    const auto read = read_a1111_parameters(
        std::string(kPlain) +
        ", VAE: None, Tiling: False, NGMS: 0.0, Noise multiplier: 1, Schedule rho: 0, Version: v1.9"
    );
    ASSERT_TRUE(read);
    EXPECT_THAT(read->not_honoured, IsEmpty());
}

TEST(A1111Parameters, LiesAreNamed) {
    EXPECT_THAT(refusal("just a prompt"), HasSubstr("say nothing"));
    EXPECT_THAT(refusal("a\nSteps: x, CFG scale: 7, Seed: 8"), HasSubstr("\"Steps: x\""));
    EXPECT_THAT(refusal("a\nSteps: 0, CFG scale: 7, Seed: 8"), HasSubstr("from 1 to 10000"));
    EXPECT_THAT(refusal("a\nSteps: 5, CFG scale: nan, Seed: 8"), HasSubstr("\"CFG scale: nan\""));
    EXPECT_THAT(refusal("a\nSteps: 5, CFG scale: 1e9, Seed: 8"), HasSubstr("1e9"));
    EXPECT_THAT(refusal("a\nSteps: 5, CFG scale: 7, Seed: -1"), HasSubstr("no seed"));
    EXPECT_THAT(
        refusal("a\nSteps: 5, Seed: 18446744073709551616, Size: 8x8"),
        HasSubstr("18446744073709551616")
    );
    EXPECT_THAT(refusal("a\nSteps: 5, Seed: 1, Size: 99999x8"), HasSubstr("no size"));
    EXPECT_THAT(refusal("a\nSteps: 5, Seed: 1, Denoising strength: 1.5"), HasSubstr("from 0 to 1"));
    EXPECT_THAT(
        refusal("a\nSteps: 5, Denoising strength: 1, Masked content: soup"),
        AllOf(HasSubstr("soup"), HasSubstr("latent nothing"))
    );
}

TEST(A1111Parameters, SaysWhatARenderNeeds) {
    const auto missing = [](const char* text) {
        return check_complete(read_a1111_parameters(text).value()).error().message;
    };
    EXPECT_THAT(missing("a\nSteps: 5, Seed: 1, Sampler: Euler"), HasSubstr("size"));
    EXPECT_THAT(missing("a\nSize: 8x8, Seed: 1, Sampler: Euler"), HasSubstr("steps"));
    EXPECT_THAT(missing("a\nSize: 8x8, Seed: 1, Steps: 5"), HasSubstr("sampler"));
    EXPECT_THAT(missing("a\nSize: 8x8, Sampler: x, Steps: 5"), HasSubstr("CFG"));
    EXPECT_THAT(missing("a\nSize: 8x8, Sampler: x, Steps: 5, CFG scale: 1"), HasSubstr("seed"));
}

TEST(A1111Parameters, EachKeyIsInTheTableOnce) {
    std::set<std::string_view> keys;
    for (const A1111Key& key : known_a1111_keys()) {
        EXPECT_TRUE(keys.insert(key.key).second) << key.key;
        EXPECT_EQ(key.fate == A1111Key::Fate::kNotHonoured, !key.meaning.empty()) << key.key;
    }
}

TEST(A1111Parameters, AFloodOfKeysGivesAShortList) {
    std::string text = "a\nSteps: 20, Seed: 1";
    for (int key = 0; key < 5'000; ++key) {
        text += fmt::format(", key{}: {}", key, std::string(200, 'x'));
    }
    const auto read = read_a1111_parameters(text);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->not_honoured.size(), 101U);
    EXPECT_LT(read->not_honoured.front().size(), 150U);
}

TEST(A1111Parameters, AnyTextIsNoDanger) {
    EXPECT_TRUE(rc::check([](const std::string& text) {
        const auto read =
            read_a1111_parameters(text + "\nSteps: 20, Seed: 1, " + text + ", SDCPP: {" + text);
        RC_ASSERT(read || !read.error().message.empty());
    }));
}

}  // namespace
}  // namespace tessera
