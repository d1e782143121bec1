#pragma once

#include "base/result.h"
#include "tessera/locations.h"
#include "upscaling/upscaler.h"

#include <filesystem>
#include <map>
#include <mutex>
#include <string>

namespace tessera::cli {

/// The upscalers that one command or worker uses, each loaded when first asked for. Thread-safe.
class Upscalers {
  public:
    Upscalers(Locations locations, Engine& engine)
        : locations_(std::move(locations)), engine_(engine) {}

    /// The name under which the others know an upscaler that a person named, which may be a path.
    /// kNotFound with the names that there are.
    [[nodiscard]] Result<std::string> name_of(const std::string& upscaler);

    /// The SHA-256 of its file; empty for Lanczos. kNotFound.
    [[nodiscard]] Result<std::string> hash(const std::string& name);
    /// kNotFound, and whatever is wrong with the file.
    [[nodiscard]] Result<Upscaler> get(const std::string& name);

  private:
    Result<std::filesystem::path> file_of(const std::string& name) const;

    Locations locations_;
    Engine& engine_;
    std::mutex mutex_;  // guards what follows; held while one is loaded
    std::map<std::string, std::filesystem::path> given_;  ///< as paths
    std::map<std::string, std::string> hashes_;
    std::map<std::string, Upscaler> loaded_;
};

}  // namespace tessera::cli
