#pragma once

#include "base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tessera::cli {

/// What a grid's axis or a line of a prompt file may change: options of `tessera render`.
enum class PictureOption : std::uint8_t {
    kModel,
    kPrompt,
    kNegative,
    kStyle,
    kPlain,
    kClipSkip,
    kSteps,
    kSampler,
    kSchedule,
    kCfg,
    kCfgRescale,
    kCfgInterval,
    kEta,
    kSNoise,
    kZeroSnr,
    kSeed,
    kRng,
    kVariationSeed,
    kVariationStrength,
    kSeedResize,
    kSize,
    kHires,
    kHiresSteps,
    kHiresStrength,
    kUpscaler,
    kRestore,
    kStrength,
    kMaskBlur,
    kMaskedContent,
    kOnlyMasked,
};

/// Of one prompt.
inline constexpr int kMostPictures = 1000;

/// How a value is written.
enum class OptionKind : std::uint8_t {
    kText,      ///< anything; what it names is checked by whoever knows
    kSampler,   ///< as find_sampler takes it
    kSchedule,  ///< as find_schedule takes it
    kRandom,    ///< as find_random_kind takes it
    kSeed,      ///< 0 to 2^64 - 1, or -1 for a random one
    kWhole,     ///< `least` to `most`
    kReal,      ///< `least` to `most`
    kSize,      ///< "512x768"
    kSwitch,    ///< "on" or "off"
};

/// What has to be done anew when the option changes; the later, the more work.
enum class ChangeCost : std::uint8_t { kSampling, kConditioning, kNetworks };

struct PictureOptionInfo {
    PictureOption option;
    std::string_view name;  ///< `tessera render --name`
    OptionKind kind;
    ChangeCost cost = ChangeCost::kSampling;
    double least = 0.0;
    double most = 0.0;
};

/// Each option once, in the order of the enumeration.
[[nodiscard]] std::span<const PictureOptionInfo> picture_options();
[[nodiscard]] const PictureOptionInfo& info(PictureOption option);

/// The value as it is passed on: "euler a" as "Euler a", "07" as "7", "yes" as "on".
/// kInvalidArgument or kNotFound naming the option, the value and what may be written.
[[nodiscard]] Result<std::string> check_value(PictureOption option, std::string_view value);

}  // namespace tessera::cli
