#include "tessera/locations.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

namespace tessera::cli {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

/// $<variable>/tessera, else ~/<below>/tessera; empty without a home. The XDG rules: a relative
/// path in the variable is not valid and ignored.
std::filesystem::path user_folder(const char* variable, const char* below) {
    const std::filesystem::path base = environment(variable);
    if (base.is_absolute()) {
        return base / "tessera";
    }
    const std::filesystem::path home = environment("HOME");
    return home.empty() ? home : home / below / "tessera";
}

std::filesystem::path data_folder() {
    if (std::filesystem::path data = environment("TESSERA_DATA_DIR"); !data.empty()) {
        return data;
    }
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    return program.parent_path().parent_path() / "share" / "tessera";
}

std::vector<std::filesystem::path> model_folders() {
    std::vector<std::filesystem::path> folders;
    const std::string list = environment("TESSERA_MODELS");
    std::string_view rest = list;
    while (!rest.empty()) {
        const auto end = std::min(rest.find(':'), rest.size());
        if (end > 0) {
            folders.emplace_back(rest.substr(0, end));
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (folders.empty()) {
        if (const auto data = user_folder("XDG_DATA_HOME", ".local/share"); !data.empty()) {
            folders.push_back(data / "models");
        }
    }
    return folders;
}

std::filesystem::path cache_folder() {
    if (std::filesystem::path cache = environment("TESSERA_CACHE_DIR"); !cache.empty()) {
        return cache;
    }
    return user_folder("XDG_CACHE_HOME", ".cache");
}

}  // namespace

Locations find_locations() {
    Locations locations;
    locations.data = data_folder();
    locations.models = model_folders();
    if (!locations.models.empty()) {
        const auto beside = locations.models.front().parent_path();
        locations.embeddings = beside / "embeddings";
        locations.styles = beside / "styles.csv";
    }
    locations.cache = cache_folder();
    if (const auto data = user_folder("XDG_DATA_HOME", ".local/share"); !data.empty()) {
        locations.farm = data / "farm";
    }
    return locations;
}

}  // namespace tessera::cli
