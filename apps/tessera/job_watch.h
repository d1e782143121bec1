#pragma once

#include "base/result.h"
#include "tessera/farm_client.h"

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera::cli {

/// Shows a bar for every picture and tile of these jobs as they are made, on stderr, until all have
/// ended; on no terminal a line for every change of state. `names` stand before the bars. Success
/// when every job is done; else kInternal or kCancelled with what became of them.
[[nodiscard]] Status watch_jobs(
    const FarmChoice& farm,
    const std::vector<std::string>& jobs,
    const std::vector<std::string>& names,
    const std::stop_token& stop
);

/// Saves a job's pictures into a folder, named by job and number, and tells each path on stdout.
[[nodiscard]] Status save_pictures(
    FarmClient& client, const std::string& job, const std::filesystem::path& folder
);

}  // namespace tessera::cli
