#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// Which generator the starting noise comes from.
enum class ForeignNoise : std::uint8_t {
    kTorchCpu,   ///< torch's CPU generator, the low 32 bits of the seed
    kTorchCuda,  ///< torch's CUDA generator (Philox)
    kOther,      ///< none that is known; `not_honoured` tells
};

/// A LoRA named outside the prompt. A1111's `<lora:name:weight>` stay in the prompt.
struct ForeignLora {
    std::string file;
    double model_strength = 0.0;
    double clip_strength = 0.0;
    bool operator==(const ForeignLora&) const = default;
};

/// Noise mixed with that of a second seed.
struct ForeignVariation {
    std::uint64_t seed = 0;
    double strength = 0.0;  ///< 0..1
    bool operator==(const ForeignVariation&) const = default;
};

/// A second pass over the enlarged picture. What is absent or empty is as in the first pass; the
/// size is `width` and `height`, or else `scale` times the first pass's.
struct ForeignHires {
    std::optional<double> scale;
    std::optional<int> width;
    std::optional<int> height;
    std::string upscaler;  ///< as written; empty: not said
    std::optional<double> denoise;
    std::optional<int> steps;
    std::optional<double> cfg;
    std::string sampler;
    std::string scheduler;
    std::string prompt;
    std::string negative_prompt;
    bool operator==(const ForeignHires&) const = default;
};

/// What of the init picture is painted anew. The mask itself is never in the metadata.
struct ForeignInpaint {
    /// What the masked part holds before; A1111's four modes.
    enum class Content : std::uint8_t { kFill, kOriginal, kLatentNoise, kLatentNothing };

    double mask_blur = 0.0;  ///< pixels
    Content content = Content::kOriginal;
    bool is_inverted = false;
    bool only_masked = false;
    int padding = 32;  ///< pixels around the masked part, with `only_masked`
    bool operator==(const ForeignInpaint&) const = default;
};

/// What another program wrote of how it made a picture. Values are in the ranges named here, or
/// absent (empty, for texts) where the program does not say.
struct ForeignParameters {
    std::string program;  ///< "A1111", "ComfyUI", "SwarmUI", "InvokeAI", "NovelAI", ...
    std::string prompt;   ///< in A1111's language: of other programs, translated as far as it goes
    std::string negative_prompt;

    std::string model;             ///< a name or file name, as written
    std::string model_hash;        ///< as written: the beginning of a SHA-256, or an older hash
    std::string sampler;           ///< as written; see foreign_names.h
    std::string scheduler;         ///< as written; empty: not said, or part of `sampler`
    std::optional<int> width;      ///< 1..65536, of the first pass
    std::optional<int> height;     ///< 1..65536
    std::optional<int> steps;      ///< 1..10000
    std::optional<int> clip_skip;  ///< 1..100; 1 takes the last layer
    std::optional<int> seed_resize_width;  ///< both or none
    std::optional<int> seed_resize_height;
    std::optional<double> cfg;             ///< -1000..1000
    std::optional<double> cfg_rescale;     ///< 0..1
    std::optional<double> guidance_begin;  ///< 0..1: the part of the steps without guidance
    std::optional<double> eta;             ///< 0..100
    std::optional<double> s_noise;         ///< 0..100
    std::optional<std::uint64_t> seed;
    std::optional<ForeignVariation> variation;
    std::int64_t later_seed_offset = 0;  ///< added to the seed for noise after the first: "ENSD"

    ForeignNoise noise = ForeignNoise::kOther;
    bool plain_prompt = false;  ///< brackets in the prompts mean nothing
    bool zero_terminal_snr = false;
    bool from_picture = false;  ///< image-to-image: there was an init picture
    /// Whether all `steps` are taken whatever `denoise`, as in ComfyUI's KSampler; otherwise about
    /// steps x denoise of them are, as in A1111. Those of `hires` are always taken.
    bool steps_are_taken = false;
    std::optional<double> denoise;  ///< 0..1, of `from_picture`
    std::string init_picture;       ///< its file name, where the program says it
    std::optional<ForeignInpaint> inpaint;
    std::optional<ForeignHires> hires;
    std::vector<ForeignLora> loras;

    /// What matters for the picture and is not in the other members: a sentence each, for people.
    std::vector<std::string> not_honoured;

    bool operator==(const ForeignParameters&) const = default;
};

/// kInvalidArgument naming what a render cannot do without: size, steps, sampler, cfg or seed.
[[nodiscard]] Status check_complete(const ForeignParameters& parameters);

/// How long the whole noise schedule is of which a share of `denoise` is gone through: `steps`
/// itself, but where `steps_are_taken` the length of which ComfyUI takes the last `steps`.
[[nodiscard]] int whole_schedule_steps(int steps, double denoise, bool steps_are_taken);

/// Adds a sentence, unless it is there or there are some 100: then one that says there are more.
void add_not_honoured(ForeignParameters& parameters, std::string sentence);

/// A text from a file, fit for a message: one line, no control characters, cut to 80 bytes.
[[nodiscard]] std::string shown(std::string_view text);

/// The whole text as a finite number within a range. kInvalidArgument naming `what`, the text and
/// the range.
[[nodiscard]] Result<double> parse_real(
    std::string_view what, std::string_view text, double least, double most
);
[[nodiscard]] Result<int> parse_whole(
    std::string_view what, std::string_view text, int least, int most
);
[[nodiscard]] Result<std::uint64_t> parse_seed(std::string_view what, std::string_view text);

/// The ranges of ForeignParameters.
inline constexpr int kMostForeignSide = 65536;
inline constexpr int kMostForeignSteps = 10000;
inline constexpr double kMostForeignCfg = 1000.0;

}  // namespace tessera
