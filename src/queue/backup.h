#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <string>

/// Copies of a queue's database.
namespace tessera {

/// What a backup holds.
struct BackupSummary {
    std::int64_t schema = 0;
    std::int64_t jobs = 0;
    std::int64_t live_jobs = 0;
    std::uint32_t incarnation = 0;
};

/// Copies the database as it is at one moment, while a server may be working on it; whole or not at
/// all, readable by the owner alone. kConflict when `target` exists.
[[nodiscard]] Status backup_queue(
    const std::filesystem::path& database,
    const std::filesystem::path& target,
    const std::string& vfs = {}
);

/// Reads all of a backup. kNotFound; kCorrupt when it is damaged; kUnsupported when it is no
/// queue's or a newer Tessera's.
[[nodiscard]] Result<BackupSummary> inspect_backup(const std::filesystem::path& backup);

/// Makes a database of a backup, after inspecting it. kConflict when there is one at `database`
/// already or a server owns it. Leaves a gap in the incarnations, so that no epoch which was handed
/// out after the backup was made can be mistaken for one that will be.
[[nodiscard]] Status restore_backup(
    const std::filesystem::path& backup, const std::filesystem::path& database
);

}  // namespace tessera
