#pragma once

#include "base/result.h"
#include "tessera/exit_code.h"
#include "tessera/painting.h"
#include "tessera/progress.h"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera::cli {

/// Tells of pictures as they are finished: their paths on stdout, each at once and on its own line;
/// or, with `json`, all of them in one JSON object at the end.
class PictureReport {
  public:
    PictureReport(bool json, Progress& progress) : json_(json), progress_(progress) {}

    void add(const FinishedPicture& picture);
    /// A sheet of many pictures.
    void add_sheet(const std::filesystem::path& path, std::size_t cells);
    /// After the last one; `result` says how the command ended.
    void end(const Status& result) const;

  private:
    void tell_path(const std::filesystem::path& path) const;

    bool json_;
    Progress& progress_;
    std::vector<FinishedPicture> pictures_;
    std::vector<std::filesystem::path> sheets_;
};

/// Runs a command that makes pictures, with a progress line and a report, until Ctrl-C.
[[nodiscard]] Result<ExitCode> make_pictures(
    bool json,
    const std::function<Status(Progress&, PictureReport&, const std::stop_token&)>& command
);

}  // namespace tessera::cli
