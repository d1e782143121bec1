#pragma once

#include "base/result.h"
#include "imaging/metadata.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::cli {

/// Exactly what repeats a picture: what its file says of itself. No paths, hosts or times.
struct Recipe {
    std::string model;
    /// SHA-256 of the UNet's weights in hex, or its beginning; empty: not known.
    std::string model_hash;
    std::string prompt;
    std::string negative_prompt;
    int width = 0;
    int height = 0;
    int steps = 0;
    std::string sampler;
    double cfg = 0.0;
    std::uint32_t seed = 0;

    struct Init {
        double strength = 0.0;
        std::string sha256;  ///< of the init picture's file; empty: not known
        bool operator==(const Init&) const = default;
    };
    std::optional<Init> init;  ///< image-to-image

    std::string fingerprint;  ///< hash of the engine's; empty: not known

    bool operator==(const Recipe&) const = default;
};

/// As JSON of schema version 1.
[[nodiscard]] std::string to_json(const Recipe& recipe);
/// kUnsupported for a schema version from the future, kCorrupt for what makes no sense.
[[nodiscard]] Result<Recipe> recipe_from_json(std::string_view json);

/// What goes into the picture's file: A1111's text, and the JSON.
[[nodiscard]] Result<PictureMetadata> picture_metadata(const Recipe& recipe);

/// What could be made of A1111's text alone.
struct ForeignRecipe {
    Recipe recipe;
    std::vector<std::string> ignored;  ///< parameters without meaning here, as "Clip skip: 2"
};
/// kInvalidArgument naming the parameter that is missing or makes no sense.
[[nodiscard]] Result<ForeignRecipe> recipe_from_infotext(std::string_view text);

}  // namespace tessera::cli
