#include "tessera/foreign_recipe.h"

#include "diffusion/sampler_registry.h"
#include "imaging/foreign_names.h"
#include "tessera/installed_upscalers.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tessera::cli {
namespace {

Result<std::string> sampler_of(const ForeignParameters& foreign) {
    std::string name = a1111_sampler_name(foreign.sampler);
    const std::string schedule = a1111_schedule_name(foreign.scheduler);
    if (!schedule.empty() && schedule != "Automatic") {
        name += " " + schedule;
    }
    TESSERA_TRY(find_sampler(name));
    return name;
}

MaskedFill fill_of(ForeignInpaint::Content content) {
    switch (content) {
        case ForeignInpaint::Content::kFill:
            return MaskedFill::kFill;
        case ForeignInpaint::Content::kLatentNoise:
            return MaskedFill::kLatentNoise;
        case ForeignInpaint::Content::kLatentNothing:
            return MaskedFill::kLatentNothing;
        case ForeignInpaint::Content::kOriginal:
            break;
    }
    return MaskedFill::kOriginal;
}

void set_noise(const ForeignParameters& foreign, Recipe& recipe) {
    recipe.random =
        foreign.noise == ForeignNoise::kTorchCuda ? RandomKind::kCuda : RandomKind::kCpu;
    recipe.seed.seed = foreign.seed.value_or(0);
    recipe.later_seed_offset = static_cast<std::uint64_t>(foreign.later_seed_offset);
    if (foreign.variation) {
        recipe.seed.variation_seed = foreign.variation->seed;
        recipe.seed.variation_strength = foreign.variation->strength;
    }
    if (foreign.seed_resize_width && foreign.seed_resize_height) {
        recipe.seed_resize = PictureSize{*foreign.seed_resize_width, *foreign.seed_resize_height};
    }
}

void set_init(const ForeignParameters& foreign, SamplerConvention convention, Recipe& recipe) {
    if (!foreign.from_picture) {
        return;
    }
    constexpr double kUsualStrength = 0.75;
    auto& init = recipe.init.emplace();
    init.strength = foreign.denoise.value_or(kUsualStrength);
    if (foreign.steps_are_taken && init.strength > 0.0 && init.strength < 1.0) {
        const int taken = recipe.steps;
        recipe.steps = whole_schedule_steps(taken, init.strength, true);
        init.strength = strength_for(taken, recipe.steps, convention);
    }
    if (foreign.inpaint) {
        const ForeignInpaint& theirs = *foreign.inpaint;
        auto& inpaint = recipe.inpaint.emplace();
        inpaint.inverted = theirs.is_inverted;
        inpaint.blur = theirs.mask_blur;
        inpaint.fill = fill_of(theirs.content);
        if (theirs.only_masked) {
            inpaint.only_masked_padding = theirs.padding;
        }
    }
}

/// Options of the second pass that differ from the first's.
void note_differences(const ForeignHires& hires, std::vector<std::string>& not_honoured) {
    const auto note = [&](bool differs, const char* what) {
        if (differs) {
            not_honoured.push_back(
                fmt::format("the second pass takes the first one's {}, not its own", what)
            );
        }
    };
    note(hires.cfg.has_value(), "guidance scale");
    note(!hires.sampler.empty() || !hires.scheduler.empty(), "sampler");
    note(!hires.prompt.empty(), "prompt");
    note(!hires.negative_prompt.empty(), "negative prompt");
}

void set_hires(const ForeignParameters& foreign, ForeignRecipe& result) {
    if (!foreign.hires) {
        return;
    }
    constexpr double kUsualScale = 2.0;
    constexpr double kUsualHiresStrength = 0.7;
    constexpr int kMultiple = 8;
    const ForeignHires& theirs = *foreign.hires;
    Recipe& recipe = result.recipe;
    auto& hires = recipe.hires.emplace();
    const double scale = theirs.scale.value_or(kUsualScale);
    const auto scaled = [&](int side) {
        return static_cast<int>(std::min(side * scale, 1e6)) / kMultiple * kMultiple;
    };
    hires.size = {
        theirs.width.value_or(scaled(recipe.rendered.width)),
        theirs.height.value_or(scaled(recipe.rendered.height))};
    hires.steps = theirs.steps.value_or(recipe.steps);
    hires.strength = theirs.denoise.value_or(foreign.denoise.value_or(kUsualHiresStrength));
    hires.upscaler = kDefaultUpscaler;
    result.upscaler = theirs.upscaler;
    recipe.size = hires.size;
    note_differences(theirs, result.not_honoured);
}

}  // namespace

Result<ForeignRecipe> to_recipe(const ForeignParameters& foreign) {
    TESSERA_TRY(check_complete(foreign));
    ForeignRecipe result;
    result.not_honoured = foreign.not_honoured;
    Recipe& recipe = result.recipe;
    recipe.model = foreign.model;
    recipe.model_hash = foreign.model_hash;
    recipe.prompt = foreign.prompt;
    recipe.negative_prompt = foreign.negative_prompt;
    recipe.syntax = foreign.plain_prompt ? PromptSyntax::kPlain : PromptSyntax::kA1111;
    recipe.clip_skip = foreign.clip_skip.value_or(1);
    recipe.size = {foreign.width.value_or(0), foreign.height.value_or(0)};
    recipe.rendered = recipe.size;
    recipe.steps = foreign.steps.value_or(0);
    TESSERA_ASSIGN(recipe.sampler, sampler_of(foreign));
    // Other programs write these with samplers on which they have no effect.
    TESSERA_ASSIGN(const auto sampler, find_sampler(recipe.sampler));
    recipe.eta = sampler.sampler->takes.eta ? foreign.eta : std::nullopt;
    recipe.s_noise = sampler.sampler->takes.s_noise ? foreign.s_noise : std::nullopt;
    recipe.zero_terminal_snr = foreign.zero_terminal_snr;
    recipe.guidance.scale = foreign.cfg.value_or(1.0);
    recipe.guidance.rescale = foreign.cfg_rescale.value_or(0.0);
    recipe.guidance.begin = foreign.guidance_begin.value_or(0.0);
    set_noise(foreign, recipe);
    set_init(foreign, sampler.sampler->convention, recipe);
    set_hires(foreign, result);
    for (const ForeignLora& lora : foreign.loras) {
        result.not_honoured.push_back(
            fmt::format("the LoRA \"{:.60}\" cannot be applied yet", lora.file)
        );
    }
    return result;
}

}  // namespace tessera::cli
