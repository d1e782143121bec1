#include "tessera/render_settings.h"

#include "base/number.h"
#include "base/utf8.h"
#include "diffusion/sampler_registry.h"
#include "tessera/installed_upscalers.h"
#include "tessera/quantity.h"
#include "tessera/size_policy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>

namespace tessera::cli {
namespace {

constexpr double kUsualStrength = 0.75;
constexpr double kUsualHiresStrength = 0.7;
constexpr double kUsualMaskBlur = 4.0;
constexpr int kMaxPadding = 1024;
/// Of an outpainted picture, so many pixels beside the new part are painted anew too.
constexpr int kOutpaintFeather = 16;

Status check_texts(const RenderSettings& settings) {
    if (auto status = check_utf8(settings.prompt); !status) {
        return within("the prompt", std::move(status).error());
    }
    if (auto status = check_utf8(settings.negative_prompt); !status) {
        return within("the negative prompt", std::move(status).error());
    }
    return {};
}

/// Options that mean nothing without another.
Status check_company(const RenderSettings& settings, const GivenPictures& given) {
    const bool masks = given.mask || settings.mask_from_alpha;
    const bool tunes_mask = !settings.masked_content.empty() || settings.mask_invert ||
                            settings.mask_blur || settings.only_masked;
    struct Need {
        bool used;
        const char* option;
        bool met;
        const char* needed;
    };
    const bool has_init = given.init.has_value();
    const std::array<Need, 8> needs{{
        {settings.strength.has_value(), "--strength", has_init, "a picture to change: --init"},
        {!settings.resize_mode.empty(), "--resize-mode", has_init, "a picture to resize: --init"},
        {masks, "--mask", has_init, "a picture to paint in: --init"},
        {tunes_mask,
         "what is said of the mask",
         masks || !settings.outpaint.empty(),
         "a mask: --mask, or --outpaint"},
        {!settings.outpaint.empty(), "--outpaint", has_init, "a picture to extend: --init"},
        {settings.hires_steps || settings.hires_strength,
         "--hires-steps or --hires-strength",
         !settings.hires.empty(),
         "a second pass: --hires"},
        {!settings.variation_seed.empty(),
         "--variation-seed",
         settings.variation_strength.has_value(),
         "how much of it counts: --variation-strength"},
        {!settings.hires.empty(),
         "--hires",
         !has_init,
         "a render from the prompt alone, no --init"},
    }};
    for (const Need& need : needs) {
        if (need.used && !need.met) {
            return fail(ErrorKind::kInvalidArgument, "{} needs {}", need.option, need.needed);
        }
    }
    if (masks && !settings.outpaint.empty()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "--mask and --outpaint both say what is painted; leave one of them out"
        );
    }
    return {};
}

/// "0.2-0.8".
Result<Guidance> parse_guidance(const RenderSettings& settings, double scale) {
    Guidance guidance;
    guidance.scale = scale;
    guidance.rescale = settings.cfg_rescale;
    if (!settings.cfg_interval.empty()) {
        const std::string_view text = settings.cfg_interval;
        const auto dash = text.find('-');
        const auto begin = read_number<double>(text.substr(0, dash));
        const auto end = dash == std::string_view::npos
                             ? std::nullopt
                             : read_number<double>(text.substr(dash + 1));
        if (!begin || !end) {
            return fail(
                ErrorKind::kInvalidArgument,
                "--cfg-interval {:.40}: write two shares of the steps, such as 0.2-0.8",
                text
            );
        }
        guidance.begin = *begin;
        guidance.end = *end;
    }
    TESSERA_TRY(check(guidance));
    return guidance;
}

/// The sampler's name as its makers write it, with the schedule's.
Result<std::string> full_sampler_name(const RenderSettings& settings, const std::string& usual) {
    TESSERA_ASSIGN(auto choice, find_sampler(settings.sampler.empty() ? usual : settings.sampler));
    if (!settings.schedule.empty()) {
        TESSERA_ASSIGN(const auto schedule, find_schedule(settings.schedule));
        if (choice.schedule != ScheduleKind::kAutomatic && choice.schedule != schedule &&
            !settings.sampler.empty()) {
            return fail(
                ErrorKind::kInvalidArgument,
                "--sampler \"{}\" contradicts --schedule {}",
                settings.sampler,
                to_string(schedule)
            );
        }
        choice.schedule = schedule;
    }
    std::string full(choice.sampler->name);
    if (choice.schedule != ScheduleKind::kAutomatic) {
        full += fmt::format(" {}", to_string(choice.schedule));
    }
    return full;
}

Status set_noise(const RenderSettings& settings, Recipe& recipe) {
    TESSERA_ASSIGN(recipe.random, find_random_kind(settings.rng));
    TESSERA_ASSIGN(recipe.seed.seed, parse_seed_option("--seed", settings.seed));
    if (settings.variation_strength && *settings.variation_strength != 0.0) {
        TESSERA_ASSIGN(
            recipe.seed.variation_seed,
            parse_seed_option("--variation-seed", settings.variation_seed)
        );
        recipe.seed.variation_strength = *settings.variation_strength;
    }
    if (!settings.seed_resize.empty()) {
        TESSERA_ASSIGN(
            recipe.seed_resize, parse_picture_size("--seed-resize", settings.seed_resize)
        );
    }
    recipe.later_seed_offset = settings.later_seed_offset;
    return {};
}

/// "64" on all sides, or some of "left=64,top=64,right=64,bottom=64".
Result<CanvasExtension> parse_outpaint(std::string_view text, int multiple) {
    CanvasExtension grown;
    grown.multiple = multiple;
    grown.feather = kOutpaintFeather;
    const auto wrong = [&] {
        return fail(
            ErrorKind::kInvalidArgument,
            "--outpaint {:.60}: write pixels for all sides, such as 64, or for some, such as "
            "left=64,right=32",
            text
        );
    };
    if (const auto all = read_number<int>(text)) {
        grown.left = grown.top = grown.right = grown.bottom = *all;
        return grown;
    }
    const std::array<std::pair<std::string_view, int*>, 4> sides{{
        {"left", &grown.left},
        {"top", &grown.top},
        {"right", &grown.right},
        {"bottom", &grown.bottom},
    }};
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view part = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(part.size() + 1, rest.size()));
        const auto equals = std::min(part.find('='), part.size());
        const auto side = std::find_if(sides.begin(), sides.end(), [&](const auto& candidate) {
            return candidate.first == part.substr(0, equals);
        });
        const auto pixels = read_number<int>(part.substr(std::min(equals + 1, part.size())));
        if (side == sides.end() || !pixels) {
            return wrong();
        }
        *side->second = *pixels;
    }
    return grown;
}

Status set_inpaint(const RenderSettings& settings, const GivenPictures& given, Recipe& recipe) {
    if (!given.mask && !settings.mask_from_alpha && !recipe.outpaint) {
        return {};
    }
    if (settings.mask_from_alpha && given.init->image.channels != 4) {
        return fail(
            ErrorKind::kInvalidArgument,
            "--mask alpha needs an --init picture that is transparent where it is to be painted, "
            "and this one has no transparency"
        );
    }
    InpaintRecipe& inpaint = recipe.inpaint.emplace();
    inpaint.sha256 = given.mask ? given.mask->sha256 : "";
    inpaint.inverted = settings.mask_invert;
    // The new part of a canvas has soft edges already.
    inpaint.blur = settings.mask_blur.value_or(recipe.outpaint ? 0.0 : kUsualMaskBlur);
    inpaint.only_masked_padding = settings.only_masked;
    if (!settings.masked_content.empty()) {
        TESSERA_ASSIGN(inpaint.fill, find_masked_fill(settings.masked_content));
    }
    if (settings.only_masked &&
        (*settings.only_masked < 0 || *settings.only_masked > kMaxPadding)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} pixels around the mask are not possible; take 0 to {}",
            *settings.only_masked,
            kMaxPadding
        );
    }
    return {};
}

Status set_init(
    const RenderSettings& settings, const GivenPictures& given, int multiple, Recipe& recipe
) {
    if (!given.init) {
        return {};
    }
    auto& init = recipe.init.emplace();
    init.sha256 = given.init->sha256;
    init.strength = settings.strength.value_or(settings.outpaint.empty() ? kUsualStrength : 1.0);
    if (!settings.resize_mode.empty()) {
        TESSERA_ASSIGN(init.resize_mode, find_resize_mode(settings.resize_mode));
    }
    if (!settings.outpaint.empty()) {
        TESSERA_ASSIGN(recipe.outpaint, parse_outpaint(settings.outpaint, multiple));
    }
    return set_inpaint(settings, given, recipe);
}

/// "2" times the first pass, or "1024x1024".
Result<PictureSize> parse_hires(std::string_view text, PictureSize first, int multiple) {
    constexpr double kMostTimes = 4.0;
    if (text.find_first_of("xX") != std::string_view::npos) {
        return parse_picture_size("--hires", text);
    }
    const auto times = read_number<double>(text);
    if (!times || !(*times >= 1.0 && *times <= kMostTimes)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "--hires {:.40}: write how many times larger, 1 to {}, or a size such as 1024x1024",
            text,
            kMostTimes
        );
    }
    const auto scaled = [&](int side) {
        const double pixels = side * *times / multiple;
        return std::max(1, static_cast<int>(std::lround(pixels))) * multiple;
    };
    return PictureSize{scaled(first.width), scaled(first.height)};
}

/// The size of the finished picture that is asked for or follows from the init picture.
Result<PictureSize> finished_size(
    const RenderSettings& settings,
    const GivenPictures& given,
    const Recipe& recipe,
    const NativeSize& native
) {
    if (!settings.size.empty()) {
        return parse_picture_size("--size", settings.size);
    }
    if (!given.init) {
        return native.size;
    }
    TESSERA_ASSIGN(const auto own, canvas_size(given.init->image, recipe.outpaint));
    return recipe.inpaint ? own : size_for_init(own, native);
}

Status set_sizes(
    const RenderSettings& settings,
    const GivenPictures& given,
    const NativeSize& native,
    Recipe& recipe
) {
    TESSERA_ASSIGN(recipe.size, finished_size(settings, given, recipe, native));
    if (recipe.inpaint && recipe.inpaint->only_masked_padding) {
        // The size asked for is that of the part; the picture keeps its own.
        recipe.rendered = recipe.size;
        if (settings.size.empty()) {
            recipe.rendered = native.size;
        } else if (!settings.exact_size) {
            TESSERA_ASSIGN(recipe.rendered, size_to_render(recipe.size, native, false));
        }
        TESSERA_ASSIGN(recipe.size, canvas_size(given.init->image, recipe.outpaint));
        return {};
    }
    TESSERA_ASSIGN(recipe.rendered, size_to_render(recipe.size, native, settings.exact_size));
    PictureSize last = recipe.rendered;
    if (!settings.hires.empty()) {
        auto& hires = recipe.hires.emplace();
        TESSERA_ASSIGN(hires.size, parse_hires(settings.hires, recipe.rendered, native.multiple));
        hires.steps = settings.hires_steps.value_or(recipe.steps);
        hires.strength = settings.hires_strength.value_or(kUsualHiresStrength);
        hires.upscaler = settings.upscaler.empty() ? kDefaultUpscaler : settings.upscaler;
        if (settings.size.empty() || recipe.rendered == recipe.size) {
            recipe.size = hires.size;
        }
        last = hires.size;
    }
    if (last.width < recipe.size.width || last.height < recipe.size.height) {
        recipe.enlarged_by = settings.upscaler.empty() ? kDefaultUpscaler : settings.upscaler;
    }
    return {};
}

}  // namespace

Status check_settings(const RenderSettings& settings, const GivenPictures& given) {
    TESSERA_TRY(check_texts(settings));
    return check_company(settings, given);
}

void change(RenderSettings& settings, PictureOption option, const std::string& value) {
    const auto real = [&] { return read_number<double>(value); };
    const auto whole = [&] { return read_number<int>(value); };
    const bool on = value == "on";
    switch (option) {
        case PictureOption::kModel:
            settings.model = value;
            break;
        case PictureOption::kPrompt:
            settings.prompt = value;
            break;
        case PictureOption::kNegative:
            settings.negative_prompt = value;
            break;
        case PictureOption::kStyle:
            settings.styles = {value};
            break;
        case PictureOption::kPlain:
            settings.plain = on;
            break;
        case PictureOption::kClipSkip:
            settings.clip_skip = whole();
            break;
        case PictureOption::kSteps:
            settings.steps = whole();
            break;
        case PictureOption::kSampler:
            settings.sampler = value;
            break;
        case PictureOption::kSchedule:
            settings.schedule = value;
            break;
        case PictureOption::kCfg:
            settings.cfg = real();
            break;
        case PictureOption::kCfgRescale:
            settings.cfg_rescale = real().value_or(0.0);
            break;
        case PictureOption::kCfgInterval:
            settings.cfg_interval = value;
            break;
        case PictureOption::kEta:
            settings.eta = real();
            break;
        case PictureOption::kSNoise:
            settings.s_noise = real();
            break;
        case PictureOption::kZeroSnr:
            settings.zero_snr = on;
            break;
        case PictureOption::kSeed:
            settings.seed = value;
            break;
        case PictureOption::kRng:
            settings.rng = value;
            break;
        case PictureOption::kVariationSeed:
            settings.variation_seed = value;
            break;
        case PictureOption::kVariationStrength:
            settings.variation_strength = real();
            break;
        case PictureOption::kSeedResize:
            settings.seed_resize = value;
            break;
        case PictureOption::kSize:
            settings.size = value;
            break;
        case PictureOption::kHires:
            settings.hires = value;
            break;
        case PictureOption::kHiresSteps:
            settings.hires_steps = whole();
            break;
        case PictureOption::kHiresStrength:
            settings.hires_strength = real();
            break;
        case PictureOption::kUpscaler:
            settings.upscaler = value;
            break;
        case PictureOption::kRestore:
            settings.restore = on;
            break;
        case PictureOption::kStrength:
            settings.strength = real();
            break;
        case PictureOption::kMaskBlur:
            settings.mask_blur = real();
            break;
        case PictureOption::kMaskedContent:
            settings.masked_content = value;
            break;
        case PictureOption::kOnlyMasked:
            settings.only_masked = whole();
            break;
    }
}

Result<Recipe> make_recipe(
    const RenderSettings& settings, const GivenPictures& given, const ModelInfo& info
) {
    TESSERA_TRY(check_settings(settings, given));
    const NativeSize native{{info.native_width, info.native_height}, info.vae.downscale()};
    Recipe recipe;
    recipe.prompt = settings.prompt;
    recipe.negative_prompt = settings.negative_prompt;
    recipe.syntax = settings.plain ? PromptSyntax::kPlain : PromptSyntax::kA1111;
    recipe.clip_skip = settings.clip_skip.value_or(1);
    recipe.steps = settings.steps.value_or(info.recommended.steps);
    TESSERA_ASSIGN(recipe.sampler, full_sampler_name(settings, info.recommended.sampler));
    recipe.eta = settings.eta;
    recipe.s_noise = settings.s_noise;
    recipe.zero_terminal_snr = settings.zero_snr;
    TESSERA_ASSIGN(
        recipe.guidance,
        parse_guidance(settings, settings.cfg.value_or(info.recommended.guidance_scale))
    );
    TESSERA_TRY(set_noise(settings, recipe));
    TESSERA_TRY(set_init(settings, given, native.multiple, recipe));
    TESSERA_TRY(set_sizes(settings, given, native, recipe));
    if (settings.restore) {
        recipe.restored_by = kRestoreNetwork;
    }
    return recipe;
}

Result<PictureSize> parse_picture_size(std::string_view option, std::string_view text) {
    auto sides = parse_width_height(text);
    if (!sides) {
        return within(option, std::move(sides).error());
    }
    return PictureSize{sides->first, sides->second};
}

Result<std::uint64_t> parse_seed_option(std::string_view option, std::string_view text) {
    if (text.empty() || text == "-1") {
        return std::random_device()();
    }
    const auto seed = read_number<std::uint64_t>(text);
    if (!seed) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} {:.40} is not possible; take 0 to {}, or -1 for a random one",
            option,
            text,
            std::numeric_limits<std::uint64_t>::max()
        );
    }
    return *seed;
}

}  // namespace tessera::cli
