#include "checkpoint/diffusers_folder.h"

#include "checkpoint/checked_json.h"
#include "checkpoint/names.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace tessera {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndexName = "model_index.json";

/// What follows the stem of a weight file's name, best first. The variant's index has been named in
/// three ways by successive releases of diffusers and transformers.
constexpr std::array<std::string_view, 6> kWeightSuffixes{
    ".safetensors",
    ".safetensors.index.json",
    ".fp16.safetensors",
    ".safetensors.index.fp16.json",
    ".safetensors.fp16.index.json",
    ".fp16.safetensors.index.json",
};

bool is_file(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored);
}

bool is_folder(const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
}

/// The first pickle by name in the folder; empty when there is none.
std::string pickle_in(const fs::path& folder) {
    constexpr std::array<std::string_view, 4> kPickles{".bin", ".ckpt", ".pt", ".pth"};
    std::string first;
    std::error_code failed;
    for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
         entry.increment(failed)) {
        const auto extension = entry->path().extension().string();
        const auto name = entry->path().filename().string();
        if (std::find(kPickles.begin(), kPickles.end(), extension) != kPickles.end() &&
            (first.empty() || name < first)) {
            first = name;
        }
    }
    return first;
}

/// An array of the index: a component, or nullopt for one that is declared absent.
Result<std::optional<Component>> read_component(
    const fs::path& model, const std::string& name, const nlohmann::json& entry
) {
    const bool is_pair = entry.is_array() && entry.size() == 2;
    if (is_pair && entry[0].is_null() && entry[1].is_null()) {
        return std::nullopt;
    }
    if (!is_pair || !entry[0].is_string() || !entry[1].is_string()) {
        return fail(
            ErrorKind::kCorrupt,
            "{} is neither [library, class] nor a plain setting",
            in_quotes(name)
        );
    }
    if (!is_plain_file_name(name)) {
        return fail(
            ErrorKind::kCorrupt, "the component name {} is not a plain folder name", in_quotes(name)
        );
    }
    return Component{name, entry[0], entry[1], model / name};
}

}  // namespace

Result<DiffusersFolder> DiffusersFolder::open(const fs::path& path) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
        return fail(ErrorKind::kNotFound, "there is no model at {}", path.string());
    }
    const auto index_path = path / kIndexName;
    if (!is_file(index_path)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} is not a diffusers model: name the folder that holds {}",
            path.string(),
            kIndexName
        );
    }
    TESSERA_ASSIGN(const auto text, read_json_file(index_path));
    const auto index = nlohmann::json::parse(text, nullptr, false);

    DiffusersFolder folder;
    folder.path_ = path;
    for (const auto& [key, value] : index.items()) {
        if (key == "_class_name" && value.is_string()) {
            folder.class_name_ = value;
        }
        if (key.starts_with('_')) {
            continue;
        }
        if (!value.is_structured()) {
            folder.options_.emplace(key, value.dump());
            continue;
        }
        auto component = read_component(path, key, value);
        if (!component) {
            return within(index_path.string(), std::move(component).error());
        }
        if (const auto& present = *component) {
            folder.components_.push_back(*present);
        }
    }
    if (folder.components_.empty()) {
        return fail(
            ErrorKind::kCorrupt, "{} lists no component; download it again", index_path.string()
        );
    }
    return folder;
}

bool DiffusersFolder::has(std::string_view name) const {
    return std::any_of(components_.begin(), components_.end(), [&](const Component& component) {
        return component.name == name;
    });
}

std::optional<std::string> DiffusersFolder::option(std::string_view name) const {
    const auto found = options_.find(name);
    return found == options_.end() ? std::nullopt : std::optional(found->second);
}

std::string DiffusersFolder::missing_folders() const {
    std::vector<std::string> missing;
    for (const Component& component : components_) {
        if (!is_folder(component.folder)) {
            missing.push_back(component.name);
        }
    }
    return fmt::format("{}", fmt::join(missing, ", "));
}

Result<Component> DiffusersFolder::component(std::string_view name) const {
    const auto found =
        std::find_if(components_.begin(), components_.end(), [&](const Component& component) {
            return component.name == name;
        });
    if (found == components_.end()) {
        return fail(
            ErrorKind::kNotFound, "the model {} has no {}", path_.string(), in_quotes(name)
        );
    }
    if (!is_folder(found->folder)) {
        return fail(
            ErrorKind::kCorrupt,
            "half a model: of the components that {} lists, {} lacks {}; download it again",
            kIndexName,
            path_.string(),
            missing_folders()
        );
    }
    return *found;
}

Result<std::string> DiffusersFolder::component_config(std::string_view name) const {
    TESSERA_ASSIGN(const auto part, component(name));
    const auto* file =
        part.class_name.ends_with("Scheduler") ? "scheduler_config.json" : "config.json";
    if (!is_file(part.folder / file)) {
        return fail(
            ErrorKind::kCorrupt,
            "half a model: {} has no {}; download it again",
            part.folder.string(),
            file
        );
    }
    return read_json_file(part.folder / file);
}

Result<Weights> DiffusersFolder::weights(std::string_view name) const {
    TESSERA_ASSIGN(const auto part, component(name));
    const std::string stem = part.library == "transformers" ? "model" : "diffusion_pytorch_model";
    for (const std::string_view suffix : kWeightSuffixes) {
        const auto file = part.folder / (stem + std::string(suffix));
        if (is_file(file)) {
            return Weights::open(file);
        }
    }
    if (const auto pickle = pickle_in(part.folder); !pickle.empty()) {
        return fail(
            ErrorKind::kUnsupported,
            "{} has its weights only as {}, a Python pickle, which can run any program when it is "
            "loaded and so never is; download the safetensors variant, or convert it in diffusers "
            "with save_pretrained(folder, safe_serialization=True)",
            part.folder.string(),
            in_quotes(pickle)
        );
    }
    return fail(
        ErrorKind::kCorrupt,
        "half a model: {} has no {}.safetensors; download it again",
        part.folder.string(),
        stem
    );
}

}  // namespace tessera
