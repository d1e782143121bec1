#include "tessera/picture_option.h"

#include "base/number.h"
#include "base/utf8.h"
#include "diffusion/random_kind.h"
#include "diffusion/sampler_registry.h"
#include "tessera/quantity.h"

#include <array>
#include <cmath>

namespace tessera::cli {
namespace {

using Kind = OptionKind;
using Option = PictureOption;

constexpr auto kConditioning = ChangeCost::kConditioning;
constexpr auto kNetworks = ChangeCost::kNetworks;
constexpr auto kSampling = ChangeCost::kSampling;

constexpr std::array<PictureOptionInfo, 30> kOptions{{
    {Option::kModel, "model", Kind::kText, kNetworks},
    {Option::kPrompt, "prompt", Kind::kText, kConditioning},
    {Option::kNegative, "negative", Kind::kText, kConditioning},
    {Option::kStyle, "style", Kind::kText, kConditioning},
    {Option::kPlain, "plain", Kind::kSwitch, kConditioning},
    {Option::kClipSkip, "clip-skip", Kind::kWhole, kConditioning, 1.0, 100.0},
    {Option::kSteps, "steps", Kind::kWhole, kSampling, 1.0, 10000.0},
    {Option::kSampler, "sampler", Kind::kSampler},
    {Option::kSchedule, "schedule", Kind::kSchedule},
    {Option::kCfg, "cfg", Kind::kReal, kSampling, -1000.0, 1000.0},
    {Option::kCfgRescale, "cfg-rescale", Kind::kReal, kSampling, 0.0, 1.0},
    {Option::kCfgInterval, "cfg-interval", Kind::kText},
    {Option::kEta, "eta", Kind::kReal, kSampling, 0.0, 100.0},
    {Option::kSNoise, "s-noise", Kind::kReal, kSampling, 0.0, 100.0},
    {Option::kZeroSnr, "zero-snr", Kind::kSwitch},
    {Option::kSeed, "seed", Kind::kSeed},
    {Option::kRng, "rng", Kind::kRandom},
    {Option::kVariationSeed, "variation-seed", Kind::kSeed},
    {Option::kVariationStrength, "variation-strength", Kind::kReal, kSampling, 0.0, 1.0},
    {Option::kSeedResize, "seed-resize", Kind::kSize},
    {Option::kSize, "size", Kind::kSize},
    {Option::kHires, "hires", Kind::kText},
    {Option::kHiresSteps, "hires-steps", Kind::kWhole, kSampling, 1.0, 10000.0},
    {Option::kHiresStrength, "hires-strength", Kind::kReal, kSampling, 0.0, 1.0},
    {Option::kUpscaler, "upscaler", Kind::kText},
    {Option::kRestore, "restore", Kind::kSwitch},
    {Option::kStrength, "strength", Kind::kReal, kSampling, 0.0, 1.0},
    {Option::kMaskBlur, "mask-blur", Kind::kReal, kSampling, 0.0, 10000.0},
    {Option::kMaskedContent, "masked-content", Kind::kText},
    {Option::kOnlyMasked, "only-masked", Kind::kWhole, kSampling, 0.0, 10000.0},
}};

/// Short enough to print.
std::string_view cut(std::string_view value) {
    return value.substr(0, 64);
}

tl::unexpected<Error> refuse(
    const PictureOptionInfo& about, std::string_view value, std::string_view wanted
) {
    return fail(
        ErrorKind::kInvalidArgument, "{} \"{}\" is not possible; {}", about.name, cut(value), wanted
    );
}

Result<std::string> check_number(const PictureOptionInfo& about, std::string_view value) {
    if (about.kind == Kind::kWhole) {
        const auto number = read_number<std::int64_t>(value);
        const bool fits = number && *number >= static_cast<std::int64_t>(about.least) &&
                          *number <= static_cast<std::int64_t>(about.most);
        if (fits) {
            return fmt::format("{}", *number);
        }
    } else {
        const auto number = read_number<double>(value);
        if (number && *number >= about.least && *number <= about.most) {
            return fmt::format("{}", *number == 0.0 ? 0.0 : *number);  // no minus zero
        }
    }
    return refuse(about, value, fmt::format("take {} to {}", about.least, about.most));
}

Result<std::string> check_name(const PictureOptionInfo& about, std::string_view value) {
    if (about.kind == Kind::kSampler) {
        TESSERA_ASSIGN(const auto choice, find_sampler(value));
        std::string name(choice.sampler->name);
        if (choice.schedule != ScheduleKind::kAutomatic) {
            name += fmt::format(" {}", to_string(choice.schedule));
        }
        return name;
    }
    if (about.kind == Kind::kSchedule) {
        TESSERA_ASSIGN(const auto schedule, find_schedule(value));
        return std::string(to_string(schedule));
    }
    TESSERA_ASSIGN(const auto random, find_random_kind(value));
    return std::string(to_string(random));
}

Result<std::string> check_switch(const PictureOptionInfo& about, std::string_view value) {
    for (const std::string_view yes : {"on", "true", "yes", "1"}) {
        if (value == yes) {
            return "on";
        }
    }
    for (const std::string_view no : {"off", "false", "no", "0"}) {
        if (value == no) {
            return "off";
        }
    }
    return refuse(about, value, "say on or off");
}

}  // namespace

std::span<const PictureOptionInfo> picture_options() {
    return kOptions;
}

const PictureOptionInfo& info(PictureOption option) {
    return kOptions[static_cast<std::size_t>(option)];
}

Result<std::string> check_value(PictureOption option, std::string_view value) {
    const PictureOptionInfo& about = info(option);
    if (auto status = check_utf8(value); !status) {
        return within(about.name, std::move(status).error());
    }
    switch (about.kind) {
        case Kind::kText:
            return std::string(value);
        case Kind::kSampler:
        case Kind::kSchedule:
        case Kind::kRandom:
            return check_name(about, value);
        case Kind::kWhole:
        case Kind::kReal:
            return check_number(about, value);
        case Kind::kSwitch:
            return check_switch(about, value);
        case Kind::kSeed:
            if (value == "-1") {
                return std::string(value);
            }
            if (const auto seed = read_number<std::uint64_t>(value)) {
                return fmt::format("{}", *seed);
            }
            return refuse(about, value, "take 0 to 18446744073709551615, or -1 for a random one");
        case Kind::kSize: {
            const auto size = parse_width_height(value);
            if (size && size->first > 0 && size->second > 0) {
                return fmt::format("{}x{}", size->first, size->second);
            }
            return refuse(about, value, "write WIDTHxHEIGHT, as 512x768");
        }
    }
    return fail(ErrorKind::kInternal, "option {} is of no kind", about.name);
}

}  // namespace tessera::cli
