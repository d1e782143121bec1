#pragma once

#include "base/result.h"

#include <filesystem>
#include <vector>

namespace tessera::cli {

/// Among the folders of the user's models, the one that is no model but holds upscalers.
inline constexpr const char* kUpscalersFolder = "upscalers";

/// Where the program finds and keeps its files. None of them need exist.
struct Locations {
    /// What is shipped: weights/ (models) and clip_merges.txt. $TESSERA_DATA_DIR, else
    /// ../share/tessera from the program.
    std::filesystem::path data;
    /// Folders whose subfolders are the user's models: $TESSERA_MODELS (several with ":" between),
    /// else $XDG_DATA_HOME/tessera/models, else ~/.local/share/tessera/models.
    std::vector<std::filesystem::path> models;
    /// Textual-inversion embeddings, known to prompts by their files' names: embeddings beside the
    /// user's models folder.
    std::filesystem::path embeddings;
    /// A1111's styles.csv, there too.
    std::filesystem::path styles;
    /// What can be made anew: $TESSERA_CACHE_DIR, else $XDG_CACHE_HOME/tessera, else
    /// ~/.cache/tessera. Empty when there is not even a home.
    std::filesystem::path cache;

    /// The jobs, pictures and keys of `tessera serve`: farm beside the user's models folder's
    /// default place. Empty when there is not even a home.
    std::filesystem::path farm;

    [[nodiscard]] std::filesystem::path shipped_models() const { return data / "weights"; }
    [[nodiscard]] std::filesystem::path clip_merges() const { return data / "clip_merges.txt"; }
    [[nodiscard]] std::filesystem::path engines() const {
        return cache.empty() ? cache : cache / "engines";
    }
    [[nodiscard]] std::filesystem::path model_hashes() const {
        return cache.empty() ? cache : cache / "model-hashes";
    }
};

/// From the environment and the program's own place.
[[nodiscard]] Locations find_locations();

}  // namespace tessera::cli
