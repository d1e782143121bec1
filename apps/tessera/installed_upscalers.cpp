#include "tessera/installed_upscalers.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <system_error>

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> safetensors_files(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    while (!error && entry != fs::directory_iterator()) {
        std::error_code not_a_file;
        const fs::path& path = entry->path();
        if (path.extension() == ".safetensors" && !path.filename().string().starts_with('.') &&
            entry->is_regular_file(not_a_file)) {
            found.push_back(path);
        }
        entry.increment(error);
    }
    std::sort(found.begin(), found.end());
    return found;
}

/// Those that a name may mean, the user's before the shipped ones.
std::vector<fs::path> upscaler_files(const Locations& locations) {
    std::vector<fs::path> found;
    for (const auto& folder : locations.models) {
        const auto more = safetensors_files(folder / kUpscalersFolder);
        found.insert(found.end(), more.begin(), more.end());
    }
    const auto shipped = safetensors_files(locations.shipped_models());
    found.insert(found.end(), shipped.begin(), shipped.end());
    return found;
}

bool is_lanczos(std::string_view name) {
    const std::string_view lanczos = kLanczosName;
    return std::equal(name.begin(), name.end(), lanczos.begin(), lanczos.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
    });
}

}  // namespace

std::vector<InstalledUpscaler> installed_upscalers(const Locations& locations) {
    std::vector<InstalledUpscaler> upscalers;
    for (const fs::path& file : upscaler_files(locations)) {
        upscalers.push_back(
            {file.stem().string(),
             file,
             file.parent_path() == locations.shipped_models(),
             UpscalerNetwork::open(file)}
        );
    }
    return upscalers;
}

Result<fs::path> find_installed_upscaler(const Locations& locations, const std::string& name) {
    std::vector<std::string> names{kLanczosName};
    for (const fs::path& file : upscaler_files(locations)) {
        if (file.stem() == name) {
            return file;
        }
        names.push_back(file.stem().string());
    }
    if (is_lanczos(name)) {
        return fs::path();
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    const std::string place = locations.models.empty()
                                  ? "the folder that TESSERA_MODELS names"
                                  : (locations.models.front() / kUpscalersFolder).string();
    return fail(
        ErrorKind::kNotFound,
        "there is no upscaler \"{}\"; installed are: {}; others (.safetensors) go into {}",
        name,
        fmt::join(names, ", "),
        place
    );
}

Result<fs::path> find_upscaler(const Locations& locations, const std::string& upscaler) {
    auto installed = find_installed_upscaler(locations, upscaler);
    std::error_code error;
    if (!installed && !upscaler.empty() && fs::exists(upscaler, error)) {
        return fs::path(upscaler);
    }
    return installed;
}

Result<Upscaler> open_upscaler(const fs::path& file, Engine& engine) {
    return file.empty() ? Upscaler::lanczos() : Upscaler::open(file, engine);
}

}  // namespace tessera::cli
