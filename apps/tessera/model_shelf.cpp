#include "tessera/model_shelf.h"

#include "tessera/installed_models.h"
#include "tessera/model_hash.h"

#include <algorithm>

namespace tessera::cli {
namespace {

constexpr std::size_t kHashDigits = 12;
constexpr std::chrono::seconds kLookAgain{10};

std::vector<ShelvedModel> look(const Locations& locations) {
    std::vector<ShelvedModel> models;
    for (InstalledModel& installed : installed_models(locations)) {
        const bool known = std::any_of(models.begin(), models.end(), [&](const auto& model) {
            return model.info.name == installed.name;
        });
        if (!installed.found || known) {
            continue;
        }
        const auto files = DiffusersFolder::open(installed.folder);
        if (!files) {
            continue;
        }
        auto hash = model_hash(*files, locations.model_hashes());
        if (!hash) {
            continue;
        }
        ShelvedModel model;
        model.info = std::move(installed.found->info);
        model.folder = std::move(installed.folder);
        model.affinity = affinity_of(model.info.name, *hash);
        model.hash = *std::move(hash);
        model.bytes = installed.found->weights.bytes;
        model.shipped = installed.shipped;
        models.push_back(std::move(model));
    }
    return models;
}

}  // namespace

std::string affinity_of(const std::string& name, const std::string& hash) {
    return name + " " + hash.substr(0, kHashDigits);
}

std::vector<ShelvedModel> ModelShelf::models() const {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (models_.empty() || now - looked_ > kLookAgain) {
        models_ = look(locations_);
        looked_ = std::chrono::steady_clock::now();
    }
    return models_;
}

Result<ShelvedModel> ModelShelf::find(const std::string& name) const {
    const std::string wanted = name.empty() ? default_model() : name;
    std::vector<std::string> names;
    for (ShelvedModel& model : models()) {
        if (model.info.name == wanted) {
            return std::move(model);
        }
        names.push_back(model.info.name);
    }
    if (names.empty()) {
        return fail(ErrorKind::kUnavailable, "no models can be read now; tessera doctor says why");
    }
    return fail(
        ErrorKind::kNotFound,
        "there is no model '{}'; there are {}",
        wanted,
        fmt::format("{}", fmt::join(names, ", "))
    );
}

}  // namespace tessera::cli
