#pragma once

#include "base/result.h"
#include "diffusion/model_info.h"
#include "tessera/init_canvas.h"
#include "tessera/picture_option.h"
#include "tessera/recipe.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::cli {

/// What a person asked of a render, in the words of the command line; what is absent or empty is
/// the model's to say. A grid's axes and the lines of a prompt file change single ones.
struct RenderSettings {
    std::string model;
    std::string prompt;
    std::string negative_prompt;
    std::vector<std::string> styles;
    bool plain = false;
    std::optional<int> clip_skip;

    std::optional<int> steps;
    std::string sampler;
    std::string schedule;
    std::optional<double> cfg;
    double cfg_rescale = 0.0;
    std::string cfg_interval;  ///< "0.2-0.8"
    std::optional<double> eta;
    std::optional<double> s_noise;
    bool zero_snr = false;

    std::string seed;  ///< a number, or -1 for a random one
    std::string rng = "cpu";
    std::string variation_seed;
    std::optional<double> variation_strength;
    std::string seed_resize;  ///< "512x512"
    std::uint64_t later_seed_offset = 0;

    std::string size;  ///< "512x768"
    bool exact_size = false;
    std::string hires;  ///< "2" times, or "1024x1024"
    std::optional<int> hires_steps;
    std::optional<double> hires_strength;
    std::string upscaler;
    bool restore = false;

    std::optional<double> strength;
    std::string resize_mode;
    bool mask_from_alpha = false;
    bool mask_invert = false;
    std::optional<double> mask_blur;
    std::string masked_content;
    std::optional<int> only_masked;
    std::string outpaint;  ///< "64" on all sides, or "left=64,right=32"
};

/// The pictures that a render begins with; see init_canvas.h.
struct GivenPictures {
    std::optional<InitPicture> init;
    std::optional<MaskPicture> mask;
};

/// What is wrong by itself, whatever the model: kInvalidArgument or kNotFound, naming the option.
[[nodiscard]] Status check_settings(const RenderSettings& settings, const GivenPictures& given);

/// Changes one of them, as a grid or a prompt file does; the value is one that check_value gave.
void change(RenderSettings& settings, PictureOption option, const std::string& value);

/// Exactly what will be rendered, but for the names and hashes of what it is made with. A random
/// seed is drawn here; styles must be applied already, and `upscaler` is the name of one.
[[nodiscard]] Result<Recipe> make_recipe(
    const RenderSettings& settings, const GivenPictures& given, const ModelInfo& info
);

/// "512x768".
[[nodiscard]] Result<PictureSize> parse_picture_size(
    std::string_view option, std::string_view text
);

/// A seed as people write it: 0 to 2^64 - 1; empty or -1: a random one below 2^32.
[[nodiscard]] Result<std::uint64_t> parse_seed_option(
    std::string_view option, std::string_view text
);

}  // namespace tessera::cli
