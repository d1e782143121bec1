#pragma once

#include "base/result.h"
#include "diffusion/model_info.h"
#include "job/render_settings.h"
#include "tessera/init_canvas.h"
#include "tessera/picture_option.h"
#include "tessera/recipe.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::cli {

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
