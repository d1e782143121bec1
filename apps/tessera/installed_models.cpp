#include "tessera/installed_models.h"

#include "base/file.h"
#include "base/utf8.h"
#include "checkpoint/diffusers_folder.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <system_error>

namespace tessera::cli {
namespace {

std::vector<std::filesystem::path> subfolders(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> found;
    std::error_code error;
    std::filesystem::directory_iterator entry(folder, error);
    while (!error && entry != std::filesystem::directory_iterator()) {
        std::error_code not_a_folder;
        const auto name = entry->path().filename().string();
        if (!name.starts_with('.') && entry->is_directory(not_a_folder)) {
            found.push_back(entry->path());
        }
        entry.increment(error);
    }
    std::sort(found.begin(), found.end());
    return found;
}

/// Those that a name may mean, the user's before the shipped ones.
std::vector<std::filesystem::path> model_folders(const Locations& locations) {
    std::vector<std::filesystem::path> found;
    for (const auto& folder : locations.models) {
        const auto more = subfolders(folder);
        std::copy_if(more.begin(), more.end(), std::back_inserter(found), [](const auto& path) {
            return path.filename() != kUpscalersFolder;
        });
    }
    const auto shipped = subfolders(locations.shipped_models());
    found.insert(found.end(), shipped.begin(), shipped.end());
    return found;
}

Result<InstalledModel::Found> read_model(const std::filesystem::path& folder) {
    TESSERA_ASSIGN(const auto files, DiffusersFolder::open(folder));
    TESSERA_ASSIGN(auto info, ModelInfo::read(files));
    TESSERA_ASSIGN(auto weights, WeightsInfo::read(files));
    return InstalledModel::Found{std::move(info), std::move(weights)};
}

std::string known_names(const Locations& locations) {
    std::vector<std::string> names;
    for (const auto& folder : model_folders(locations)) {
        names.push_back(folder.filename().string());
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

InstalledModel inspect_model(const Locations& locations, const std::filesystem::path& folder) {
    const auto path = folder.has_filename() ? folder : folder.parent_path();
    return {
        path.filename().string(),
        path,
        path.parent_path() == locations.shipped_models(),
        read_model(path)};
}

std::vector<InstalledModel> installed_models(const Locations& locations) {
    std::vector<InstalledModel> models;
    for (const auto& folder : model_folders(locations)) {
        models.push_back(inspect_model(locations, folder));
    }
    return models;
}

std::string default_model() {
    const char* chosen = std::getenv("TESSERA_MODEL");
    return chosen == nullptr || *chosen == '\0' ? "tessera-tiny" : chosen;
}

Result<std::filesystem::path> find_model(const Locations& locations, const std::string& model) {
    auto installed = find_installed_model(locations, model);
    std::error_code error;
    if (!installed && !model.empty() && std::filesystem::is_directory(model, error)) {
        return std::filesystem::path(model);
    }
    return installed;
}

Result<std::filesystem::path> find_installed_model(
    const Locations& locations, const std::string& name
) {
    for (const auto& folder : model_folders(locations)) {
        if (folder.filename() == name) {
            return folder;
        }
    }
    const std::string names = known_names(locations);
    const std::string place = locations.models.empty() ? "the folder that TESSERA_MODELS names"
                                                       : locations.models.front().string();
    if (names.empty()) {
        return fail(
            ErrorKind::kNotFound,
            "there is no model \"{}\", and none is installed in {} or {}; put a folder in "
            "diffusers "
            "layout into the latter, or name one with -m FOLDER",
            name,
            locations.shipped_models().string(),
            place
        );
    }
    return fail(
        ErrorKind::kNotFound,
        "there is no model \"{}\"; installed are: {}; others go into {}, or are named as -m FOLDER",
        name,
        names,
        place
    );
}

Result<std::vector<std::string>> model_vocabulary(const std::filesystem::path& folder) {
    constexpr std::uint64_t kMaxVocabularyBytes = std::uint64_t{1} << 20U;
    const auto text = read_file(folder / "vocabulary.txt", kMaxVocabularyBytes);
    if (!text && text.error().kind == ErrorKind::kNotFound) {
        return std::vector<std::string>();
    }
    if (!text) {
        return tl::unexpected(text.error());
    }
    if (auto status = check_utf8(*text); !status) {
        return within((folder / "vocabulary.txt").string(), std::move(status).error());
    }
    std::vector<std::string> lines;
    for (std::size_t start = 0; start < text->size();) {
        const auto end = std::min(text->find('\n', start), text->size());
        if (end > start) {
            lines.push_back(text->substr(start, end - start));
        }
        start = end + 1;
    }
    return lines;
}

}  // namespace tessera::cli
