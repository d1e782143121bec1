#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tessera {

/// What a person asked of a render, in the words of the command line; what is absent or empty is
/// the model's to say. A grid's axes and the lines of a prompt file change single ones.
struct RenderSettings {
    bool operator==(const RenderSettings&) const = default;

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

/// What a person asked of an enlargement.
struct UpscaleSettings {
    bool operator==(const UpscaleSettings&) const = default;

    std::string upscaler;  ///< empty: the best one installed
    std::string scale;     ///< "2", or "1024x1024"; empty: the upscaler's own
    bool restore = false;
};

}  // namespace tessera
