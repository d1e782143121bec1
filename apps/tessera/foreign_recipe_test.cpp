#include "tessera/foreign_recipe.h"

#include "imaging/a1111_parameters.h"

#include <gmock/gmock.h>

namespace tessera::cli {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ForeignRecipe read(const std::string& parameters) {
    const auto foreign = read_a1111_parameters("a (lake:1.2)\nNegative prompt: fog\n" + parameters);
    EXPECT_TRUE(foreign) << foreign.error().message;
    auto recipe = to_recipe(*foreign);
    EXPECT_TRUE(recipe) << recipe.error().message;
    return recipe ? *std::move(recipe) : ForeignRecipe{};
}

const std::string usual =
    "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, "
    "Seed: 7, Size: 64x96, Model: m, RNG: CPU";

TEST(ForeignRecipe, TakesWhatA1111Writes) {
    const auto [recipe, not_honoured, upscaler] = read(
        usual +
        ", Clip skip: 2, ENSD: 31337, Variation seed: 9, Variation seed strength: 0.2, Seed resize "
        "from: 64x64"
    );
    EXPECT_EQ(recipe.prompt, "a (lake:1.2)");
    EXPECT_EQ(recipe.negative_prompt, "fog");
    EXPECT_EQ(recipe.sampler, "DPM++ 2M Karras");
    EXPECT_EQ(recipe.steps, 20);
    EXPECT_EQ(recipe.guidance.scale, 6.5);
    EXPECT_EQ(recipe.size, (PictureSize{64, 96}));
    EXPECT_EQ(recipe.clip_skip, 2);
    EXPECT_EQ(recipe.later_seed_offset, 31337U);
    EXPECT_EQ(recipe.seed, (PictureSeed{7, 9, 0.2}));
    EXPECT_EQ(recipe.seed_resize, (PictureSize{64, 64}));
    EXPECT_EQ(recipe.random, RandomKind::kCpu);
    EXPECT_FALSE(recipe.init);
    EXPECT_THAT(not_honoured, IsEmpty());
}

TEST(ForeignRecipe, DrawsAsA1111DoesUnlessItSaysOtherwise) {
    std::string silent = usual;
    silent.resize(silent.find(", RNG"));
    EXPECT_EQ(read(silent).recipe.random, RandomKind::kCuda);
}

TEST(ForeignRecipe, LeavesOutEtaWhereItHasNoEffect) {
    EXPECT_FALSE(read(usual + ", Eta: 0.5").recipe.eta);
}

TEST(ForeignRecipe, MakesASecondPassOfHires) {
    const auto [recipe, not_honoured, upscaler] = read(
        usual +
        ", Denoising strength: 0.6, Hires upscale: 2, Hires steps: 10, Hires upscaler: "
        "R-ESRGAN 4x+, Hires CFG Scale: 3"
    );
    ASSERT_TRUE(recipe.hires);
    EXPECT_EQ(recipe.hires->size, (PictureSize{128, 192}));
    EXPECT_EQ(recipe.hires->steps, 10);
    EXPECT_EQ(recipe.hires->strength, 0.6);
    EXPECT_EQ(recipe.size, recipe.hires->size);
    EXPECT_FALSE(recipe.init);
    EXPECT_EQ(upscaler, "R-ESRGAN 4x+");
    EXPECT_THAT(not_honoured, Contains(HasSubstr("guidance scale")));
}

TEST(ForeignRecipe, KnowsInpaintingFromImageToImage) {
    const auto plain = read(usual + ", Denoising strength: 0.6");
    ASSERT_TRUE(plain.recipe.init);
    EXPECT_EQ(plain.recipe.init->strength, 0.6);
    EXPECT_FALSE(plain.recipe.inpaint);
    const auto painted = read(
        usual +
        ", Denoising strength: 0.6, Mask blur: 4, Masked content: fill, Inpaint area: Only "
        "masked, Masked area padding: 16"
    );
    ASSERT_TRUE(painted.recipe.inpaint);
    EXPECT_EQ(painted.recipe.inpaint->fill, MaskedFill::kFill);
    EXPECT_EQ(painted.recipe.inpaint->only_masked_padding, 16);
}

TEST(ForeignRecipe, OffersNearNamesForASamplerThatIsNotHere) {
    auto foreign = read_a1111_parameters(
        "a\nSteps: 2, Sampler: DPM adaptive, CFG scale: 5, Seed: 1, Size: 64x64"
    );
    ASSERT_TRUE(foreign);
    const auto recipe = to_recipe(*foreign);
    ASSERT_FALSE(recipe);
    EXPECT_EQ(recipe.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(recipe.error().message, HasSubstr("DPM++ 2M"));
}

}  // namespace
}  // namespace tessera::cli
