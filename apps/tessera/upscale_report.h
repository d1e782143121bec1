#pragma once

#include "base/result.h"
#include "tessera/locations.h"
#include "tessera/progress.h"
#include "tessera/upscale_metadata.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tessera::cli {

/// An enlarged picture that is on the disk.
struct UpscaledPicture {
    std::filesystem::path path;
    std::string source;
    int from_width = 0;
    int from_height = 0;
    UpscaleRecord record;
    std::optional<int> tile;  ///< side of the last network's tiles; nothing for Lanczos
    double seconds = 0.0;
};

/// Tells of pictures as they are finished: their paths on stdout, each at once and on its own line;
/// or, with `json`, all of them, and those that failed, in one JSON object at the end.
class UpscaleReport {
  public:
    UpscaleReport(bool json, Progress& progress, std::size_t pictures)
        : json_(json), progress_(progress), count_(pictures) {}

    void add(const UpscaledPicture& picture);
    /// With several pictures, said at once too.
    void add_failure(const std::string& source, Error error);
    /// An error that stands for all failures, if there were any.
    [[nodiscard]] Status failures() const;
    /// After the last picture; `result` says how the command ended.
    void end(const Status& result) const;

  private:
    struct Failure {
        std::string source;
        Error error;
    };

    bool json_;
    Progress& progress_;
    std::size_t count_;
    std::vector<UpscaledPicture> pictures_;
    std::vector<Failure> failures_;
};

/// `tessera upscale --list`, on stdout.
void list_upscalers(const Locations& locations, bool json);

}  // namespace tessera::cli
