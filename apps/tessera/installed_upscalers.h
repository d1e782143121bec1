#pragma once

#include "base/result.h"
#include "inference/engine.h"
#include "tessera/locations.h"
#include "upscaling/upscaler.h"

#include <filesystem>
#include <string>
#include <vector>

namespace tessera::cli {

/// The shipped networks: one enlarges by two, one repairs at scale 1.
inline constexpr const char* kDefaultUpscaler = "tessera-tiny-upscaler-x2";
inline constexpr const char* kRestoreNetwork = "tessera-tiny-restore";

/// A file that should hold an upscaling network, and what was found in it.
struct InstalledUpscaler {
    std::string name;  ///< the file's, without suffix
    std::filesystem::path file;
    bool shipped;
    Result<UpscalerNetwork> found;  ///< or why it cannot be used
};

/// The user's, which lie in `upscalers` in the folders of models, then the shipped ones, each by
/// name. Of two with one name the first counts. Lanczos, which needs no file, is not among them.
[[nodiscard]] std::vector<InstalledUpscaler> installed_upscalers(const Locations& locations);

/// The file of the installed upscaler of that name, empty for Lanczos: for names that come from
/// outside, which must not become paths. kNotFound with the names that there are.
[[nodiscard]] Result<std::filesystem::path> find_installed_upscaler(
    const Locations& locations, const std::string& name
);

/// The same, or `upscaler` itself where it is the path of a file.
[[nodiscard]] Result<std::filesystem::path> find_upscaler(
    const Locations& locations, const std::string& upscaler
);

/// What the two have found.
[[nodiscard]] Result<Upscaler> open_upscaler(const std::filesystem::path& file, Engine& engine);

}  // namespace tessera::cli
