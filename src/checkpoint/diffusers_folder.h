#pragma once

#include "base/result.h"
#include "checkpoint/weights.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// One part of a pipeline as model_index.json lists it: "unet", "diffusers",
/// "UNet2DConditionModel".
struct Component {
    std::string name;
    std::string library;
    std::string class_name;
    std::filesystem::path folder;
};

/// A model in the layout of the diffusers library: model_index.json, and a folder per component
/// with its config and weights. Only the index is read at first; a folder may lack components that
/// nobody asks for. Thread-safe: never changes.
class DiffusersFolder {
  public:
    /// kNotFound without such a folder, kInvalidArgument without model_index.json in it, kCorrupt
    /// when that makes no sense.
    [[nodiscard]] static Result<DiffusersFolder> open(const std::filesystem::path& path);

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// The pipeline's class, such as "StableDiffusionPipeline"; empty when the index has none.
    [[nodiscard]] const std::string& class_name() const { return class_name_; }

    /// All that the index lists, by name; those it declares absent ([null, null]) are left out.
    [[nodiscard]] const std::vector<Component>& components() const { return components_; }

    /// Whether the index lists the component. Its folder may be missing all the same.
    [[nodiscard]] bool has(std::string_view name) const;

    /// The JSON text of one of the pipeline's plain settings: "false" for requires_safety_checker.
    [[nodiscard]] std::optional<std::string> option(std::string_view name) const;

    /// The component, whose folder exists. kNotFound when the index does not list it; kCorrupt,
    /// with all that is missing, when the folder is not there.
    [[nodiscard]] Result<Component> component(std::string_view name) const;

    /// The component's config.json (scheduler_config.json for schedulers), as checked JSON text.
    [[nodiscard]] Result<std::string> component_config(std::string_view name) const;

    /// The component's weights: full precision before the fp16 variant, and one file before shards.
    /// kUnsupported when there are only pickles, which are never loaded.
    [[nodiscard]] Result<Weights> weights(std::string_view name) const;

  private:
    std::filesystem::path path_;
    std::string class_name_;
    std::vector<Component> components_;
    std::map<std::string, std::string, std::less<>> options_;

    [[nodiscard]] std::string missing_folders() const;
};

}  // namespace tessera
