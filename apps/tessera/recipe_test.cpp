#include "tessera/recipe.h"

#include "imaging/infotext.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

namespace tessera::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Recipe sample() {
    Recipe recipe;
    recipe.model = "sea, sky: \"v1\"";
    recipe.model_hash = std::string(64, 'a');
    recipe.prompt = "一座灯塔 🌅,\nby the (sea:1.2)";
    recipe.negative_prompt = "boats";
    recipe.size = {512, 768};
    recipe.rendered = recipe.size;
    recipe.steps = 20;
    recipe.sampler = "DPM++ 2M Karras";
    recipe.guidance.scale = 7.1;
    recipe.seed.seed = 18446744073709551615U;
    recipe.fingerprint = std::string(32, 'c');
    return recipe;
}

/// With a value other than the usual one in every place.
Recipe everything() {
    Recipe recipe = sample();
    recipe.syntax = PromptSyntax::kPlain;
    recipe.clip_skip = 2;
    recipe.size = {1024, 1536};
    recipe.enlarged_by = "Lanczos";
    recipe.eta = 0.5;
    recipe.s_noise = 1.02;
    recipe.zero_terminal_snr = true;
    recipe.guidance = {7.1, 0.7, 0.1, 0.8};
    recipe.random = RandomKind::kCuda;
    recipe.seed = {3, 4, 0.25};
    recipe.seed_resize = PictureSize{256, 128};
    recipe.later_seed_offset = 31337;
    recipe.init = InitRecipe{0.55, std::string(64, 'b'), ResizeMode::kResizeAndFill};
    recipe.inpaint = InpaintRecipe{std::string(64, 'd'), true, 2.5, MaskedFill::kLatentNoise, 32};
    recipe.outpaint = CanvasExtension{1, 2, 3, 4, 8, 16};
    recipe.hires = HiresRecipe{{768, 1152}, "tessera-tiny-upscaler-x2", 10, 0.4};
    recipe.restored_by = "tessera-tiny-restore";
    recipe.upscalers = {{"tessera-tiny-upscaler-x2", std::string(64, 'e')}};
    recipe.embeddings = {{"ink", std::string(64, 'f')}};
    return recipe;
}

TEST(Recipe, ComesBackFromJson) {
    EXPECT_EQ(recipe_from_json(to_json(sample())).value(), sample());
    EXPECT_EQ(recipe_from_json(to_json(everything())).value(), everything());
    EXPECT_EQ(recipe_from_json(to_json(Recipe())).value(), Recipe());
}

TEST(Recipe, ComesBackFromJsonWhateverItsNumbers) {
    EXPECT_TRUE(rc::check([](std::uint64_t seed, int steps, double cfg, double strength) {
        Recipe recipe = sample();
        recipe.seed.seed = seed;
        recipe.steps = steps;
        recipe.guidance.scale = cfg;
        recipe.init = InitRecipe{strength, ""};
        RC_ASSERT(recipe_from_json(to_json(recipe)).value() == recipe);
    }));
}

TEST(Recipe, OfTheFirstVersionIsStillRead) {
    const auto recipe = recipe_from_json(
        R"({"version":1,"model":{"name":"m","sha256":"ab"},"prompt":"a [lake]",)"
        R"("negative_prompt":"","width":64,"height":32,"steps":4,"sampler":"Euler","cfg":5.0,)"
        R"("seed":9,"rng":"cpu","init":{"strength":0.5,"sha256":"cd"},"fingerprint":"ef"})"
    );
    ASSERT_TRUE(recipe) << recipe.error().message;
    EXPECT_EQ(recipe->size, (PictureSize{64, 32}));
    EXPECT_EQ(recipe->rendered, recipe->size);
    EXPECT_EQ(recipe->syntax, PromptSyntax::kPlain);
    EXPECT_EQ(recipe->seed.seed, 9U);
    EXPECT_EQ(recipe->init->strength, 0.5);
    EXPECT_EQ(recipe->init->resize_mode, ResizeMode::kCropAndResize);
}

TEST(Recipe, ThatLiesIsRefusedWithTheFieldsName) {
    const auto refused = [](const std::string& from, const std::string& to) {
        std::string json = to_json(everything());
        const auto place = json.find(from);
        EXPECT_NE(place, std::string::npos) << from;
        json.replace(place, from.size(), to);
        const auto recipe = recipe_from_json(json);
        EXPECT_FALSE(recipe) << to;
        return recipe ? std::string() : recipe.error().message;
    };
    EXPECT_THAT(refused("\"version\":2", "\"version\":3"), HasSubstr("version 3"));
    EXPECT_THAT(refused("\"steps\":20", "\"steps\":1e9"), HasSubstr("steps"));
    EXPECT_THAT(refused("\"steps\":20", "\"steps\":\"x\""), HasSubstr("steps"));
    EXPECT_THAT(refused("\"seed\":3", "\"seed\":-3"), HasSubstr("seed"));
    EXPECT_THAT(refused("\"rng\":\"cuda\"", "\"rng\":\"dice\""), HasSubstr("dice"));
    EXPECT_THAT(refused("\"latent-noise\"", "\"jam\""), HasSubstr("jam"));
    EXPECT_THAT(refused("[1024,1536]", "[1024]"), HasSubstr("damaged"));
    EXPECT_THAT(refused("{\"version\"", "[{\"version\""), HasSubstr("damaged"));
}

TEST(Recipe, WritesParametersAsOtherProgramsReadThem) {
    const auto metadata = picture_metadata(sample());
    ASSERT_TRUE(metadata) << metadata.error().message;
    EXPECT_THAT(
        metadata->parameters,
        HasSubstr("Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.1, Seed: "
                  "18446744073709551615, Size: 512x768, Model hash: aaaaaaaaaa, Model: ")
    );
    EXPECT_THAT(metadata->parameters, Not(HasSubstr("Denoising strength")));
}

TEST(Recipe, WritesAllThatMattersForOtherPrograms) {
    const auto metadata = picture_metadata(everything());
    ASSERT_TRUE(metadata) << metadata.error().message;
    for (const char* parameter :
         {"Variation seed: 4",
          "Variation seed strength: 0.25",
          "Seed resize from: 256x128",
          "Denoising strength: 0.55",
          "Clip skip: 2",
          "ENSD: 31337",
          "Hires resize: 768x1152",
          "Hires steps: 10",
          "Hires upscaler: tessera-tiny-upscaler-x2",
          "Mask blur: 2.5",
          "Masked content: latent noise",
          "Inpaint area: Only masked",
          "Masked area padding: 32",
          "Noise Schedule: Zero Terminal SNR",
          "RNG: NV",
          "Postprocess upscaler: Lanczos"}) {
        EXPECT_THAT(metadata->parameters, HasSubstr(parameter));
    }
}

TEST(Recipe, OfASeriesCountsItsSeedsOn) {
    Recipe recipe = sample();
    recipe.seed = {7, 20, 0.0};
    EXPECT_EQ(nth_of(recipe, 1), recipe);
    EXPECT_EQ(nth_of(recipe, 3).seed, (PictureSeed{9, 20, 0.0}));
    recipe.seed.variation_strength = 0.3;
    EXPECT_EQ(nth_of(recipe, 3).seed, (PictureSeed{7, 22, 0.3}));
}

TEST(Names, AreFoundAndListed) {
    EXPECT_EQ(find_masked_fill("latent-nothing").value(), MaskedFill::kLatentNothing);
    EXPECT_EQ(
        find_resize_mode(to_string(ResizeMode::kResizeAndFill)).value(), ResizeMode::kResizeAndFill
    );
    EXPECT_THAT(find_masked_fill("jam").error().message, HasSubstr("fill, original"));
}

}  // namespace
}  // namespace tessera::cli
