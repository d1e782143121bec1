#pragma once

#include "base/result.h"
#include "diffusion/guidance.h"
#include "diffusion/noise.h"
#include "imaging/canvas.h"
#include "imaging/metadata.h"
#include "imaging/resize_mode.h"
#include "prompt/prompt_language.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tessera::cli {

struct PictureSize {
    int width = 0;
    int height = 0;

    bool operator==(const PictureSize&) const = default;
};

/// What the masked part holds before the first step; A1111's four.
enum class MaskedFill : std::uint8_t { kFill, kOriginal, kLatentNoise, kLatentNothing };

/// How image-to-image begins.
struct InitRecipe {
    double strength = 0.0;
    std::string sha256;  ///< of the init picture's file; empty: not known
    ResizeMode resize_mode = ResizeMode::kCropAndResize;
    bool operator==(const InitRecipe&) const = default;
};

/// What of the init picture is painted anew.
struct InpaintRecipe {
    /// Of the mask's file; empty: it is the init picture's transparency, or the new part of an
    /// extended canvas, or not known.
    std::string sha256;
    bool inverted = false;
    double blur = 4.0;
    MaskedFill fill = MaskedFill::kOriginal;
    /// The part around the mask alone is rendered, with so many pixels around it.
    std::optional<int> only_masked_padding;
    bool operator==(const InpaintRecipe&) const = default;
};

/// A second, larger pass.
struct HiresRecipe {
    PictureSize size;
    std::string upscaler;
    int steps = 0;  ///< taken, whatever the strength
    double strength = 0.0;
    bool operator==(const HiresRecipe&) const = default;
};

/// Exactly what repeats a picture: what its file says of itself. No paths, hosts or times.
struct Recipe {
    std::string model;
    /// SHA-256 of the UNet's weights in hex, or its beginning; empty: not known.
    std::string model_hash;

    std::string prompt;
    std::string negative_prompt;
    PromptSyntax syntax = PromptSyntax::kA1111;
    int clip_skip = 1;

    /// Of the finished picture.
    PictureSize size;
    /// At which it is rendered, in the first pass if there are two. If the last pass's is not the
    /// finished picture's, `enlarged_by` comes after it.
    PictureSize rendered;
    /// The upscaler's name.
    std::string enlarged_by;

    int steps = 0;
    std::string sampler;
    std::optional<double> eta;
    std::optional<double> s_noise;
    bool zero_terminal_snr = false;
    Guidance guidance;

    RandomKind random = RandomKind::kCpu;
    PictureSeed seed;
    /// Seed resize, in pixels.
    std::optional<PictureSize> seed_resize;
    /// A1111's ENSD.
    std::uint64_t later_seed_offset = 0;

    std::optional<InitRecipe> init;  ///< image-to-image

    std::optional<InpaintRecipe> inpaint;
    std::optional<CanvasExtension> outpaint;

    /// A second, larger pass over the enlarged first one.
    std::optional<HiresRecipe> hires;

    std::string restored_by;  ///< the network's name; empty: none

    /// SHA-256 of the files of what was used, by name.
    std::map<std::string, std::string> upscalers;
    std::map<std::string, std::string> embeddings;

    std::string fingerprint;  ///< hash of the engine's; empty: not known

    bool operator==(const Recipe&) const = default;
};

/// The `number`-th, from 1, of several pictures of a recipe: as in A1111 with the seeds that
/// follow, or with a variation with the variation seeds that follow.
[[nodiscard]] Recipe nth_of(Recipe recipe, int number);

/// As JSON of schema version 2.
[[nodiscard]] std::string to_json(const Recipe& recipe);
/// Versions 1 and 2. kUnsupported for one from the future, kCorrupt for what makes no sense.
[[nodiscard]] Result<Recipe> recipe_from_json(std::string_view json);

/// Whether that JSON says that the picture was changed after it was rendered, as `tessera upscale`
/// records it.
[[nodiscard]] bool was_postprocessed(std::string_view json);

/// What goes into the picture's file: A1111's text, and the JSON.
[[nodiscard]] Result<PictureMetadata> picture_metadata(const Recipe& recipe);

/// The names that people type and files hold: "fill", "original", "latent-noise",
/// "latent-nothing".
[[nodiscard]] std::string_view to_string(MaskedFill fill);
[[nodiscard]] Result<MaskedFill> find_masked_fill(std::string_view name);

/// "stretch", "crop", "pad".
[[nodiscard]] std::string_view to_string(ResizeMode mode);
[[nodiscard]] Result<ResizeMode> find_resize_mode(std::string_view name);

}  // namespace tessera::cli
