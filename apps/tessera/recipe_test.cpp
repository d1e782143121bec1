#include "tessera/recipe.h"

#include "imaging/infotext.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

namespace tessera::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Recipe sample() {
    Recipe recipe;
    recipe.model = "sea, sky: \"v1\"";
    recipe.model_hash = std::string(64, 'a');
    recipe.prompt = "一座灯塔 🌅,\nby the sea";
    recipe.negative_prompt = "boats";
    recipe.width = 512;
    recipe.height = 768;
    recipe.steps = 20;
    recipe.sampler = "DPM++ 2M Karras";
    recipe.cfg = 7.1;
    recipe.seed = 4294967295;
    recipe.init = Recipe::Init{0.55, std::string(64, 'b')};
    recipe.fingerprint = std::string(32, 'c');
    return recipe;
}

TEST(Recipe, ComesBackFromJson) {
    EXPECT_EQ(recipe_from_json(to_json(sample())).value(), sample());
}

TEST(Recipe, ComesBackFromJsonWhateverItsNumbers) {
    rc::check([](std::uint32_t seed, int steps, double cfg) {
        Recipe recipe = sample();
        recipe.seed = seed;
        recipe.steps = steps;
        recipe.cfg = cfg;
        recipe.init.reset();
        RC_ASSERT(recipe_from_json(to_json(recipe)).value() == recipe);
    });
}

TEST(Recipe, ComesBackFromInfotextAsFarAsThatGoes) {
    const auto metadata = picture_metadata(sample());
    ASSERT_TRUE(metadata) << metadata.error().message;
    const auto foreign = recipe_from_infotext(metadata->parameters);
    ASSERT_TRUE(foreign) << foreign.error().message;
    Recipe expected = sample();
    expected.model_hash.resize(10);
    expected.init->sha256.clear();
    expected.fingerprint.clear();
    EXPECT_EQ(to_json(foreign->recipe), to_json(expected));
    EXPECT_THAT(foreign->ignored, ElementsAre());
}

TEST(Recipe, WritesParametersAsOtherProgramsReadThem) {
    const auto metadata = picture_metadata(sample());
    EXPECT_THAT(
        metadata->parameters,
        HasSubstr("Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.1, Seed: "
                  "4294967295, Size: 512x768, Model hash: aaaaaaaaaa, Model: ")
    );
    EXPECT_THAT(metadata->parameters, HasSubstr("Denoising strength: 0.55, "));
}

TEST(Recipe, TakesTheStrengthOfASecondPassForWhatItIs) {
    const auto foreign = recipe_from_infotext(
        "a lake\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x64, Model: m, "
        "Denoising strength: 0.7, Hires upscale: 2"
    );
    ASSERT_TRUE(foreign);
    EXPECT_FALSE(foreign->recipe.init);
    EXPECT_THAT(foreign->ignored, ElementsAre("Denoising strength: 0.7", "Hires upscale: 2"));
}

TEST(Recipe, NamesWhatInfotextLacks) {
    const auto refused = [](const std::string& text) {
        return recipe_from_infotext(text).error().message;
    };
    EXPECT_THAT(refused("just a prompt"), HasSubstr("says nothing"));
    EXPECT_THAT(refused("a\nSteps: 20, CFG scale: 7, Size: 8x8"), HasSubstr("\"Seed\""));
    EXPECT_THAT(refused("a\nSteps: x, CFG scale: 7, Seed: 8"), HasSubstr("\"Steps: x\""));
}

}  // namespace
}  // namespace tessera::cli
