#pragma once

#include "base/result.h"
#include "diffusion/model_info.h"
#include "tessera/locations.h"

#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace tessera::cli {

/// A model that can be rendered with, and its name in the farm.
struct ShelvedModel {
    ModelInfo info;
    std::filesystem::path folder;
    std::string hash;      ///< see model_hash
    std::string affinity;  ///< see affinity_of
    std::uint64_t bytes = 0;
    bool shipped = false;
};

/// What tells models apart in the farm: "tessera-tiny 0f3a9c…", name and 12 digits of the hash.
[[nodiscard]] std::string affinity_of(const std::string& name, const std::string& hash);

/// The installed models that work, looked through anew when somebody asks after a while. The first
/// look may read weight files whole (their hashes are kept). Thread-safe.
class ModelShelf {
  public:
    explicit ModelShelf(Locations locations) : locations_(std::move(locations)) {}

    [[nodiscard]] std::vector<ShelvedModel> models() const;
    /// kNotFound with near names; an empty name is the default model.
    [[nodiscard]] Result<ShelvedModel> find(const std::string& name) const;
    [[nodiscard]] const Locations& locations() const { return locations_; }

  private:
    const Locations locations_;
    mutable std::mutex mutex_;  // guards what follows
    mutable std::vector<ShelvedModel> models_;
    mutable std::chrono::steady_clock::time_point looked_;
};

}  // namespace tessera::cli
