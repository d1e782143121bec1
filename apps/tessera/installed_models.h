#pragma once

#include "base/result.h"
#include "diffusion/model_info.h"
#include "tessera/locations.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::cli {

/// A folder that should hold a model, and what was found in it.
struct InstalledModel {
    struct Found {
        ModelInfo info;
        WeightsInfo weights;
    };
    std::string name;  ///< the folder's
    std::filesystem::path folder;
    bool shipped;
    Result<Found> found;  ///< or why it cannot be rendered with
};

/// The user's models, then the shipped ones, each by name. Of two with one name the first counts.
[[nodiscard]] std::vector<InstalledModel> installed_models(const Locations& locations);

/// $TESSERA_MODEL, else the shipped one.
[[nodiscard]] std::string default_model();

/// The folder of the installed model of that name: for names that come from outside, which must not
/// become paths. kNotFound with the names that there are.
[[nodiscard]] Result<std::filesystem::path> find_installed_model(
    const Locations& locations, const std::string& name
);

/// The same, or `model` itself where it is the path of a folder.
[[nodiscard]] Result<std::filesystem::path> find_model(
    const Locations& locations, const std::string& model
);

/// The folder with what is in it: configurations read, and every weight file opened and checked.
[[nodiscard]] InstalledModel inspect_model(
    const Locations& locations, const std::filesystem::path& folder
);

/// The lines of the model's vocabulary.txt: "scenes: mountains, sea". Empty without one.
[[nodiscard]] Result<std::vector<std::string>> model_vocabulary(const std::filesystem::path& folder
);

}  // namespace tessera::cli
