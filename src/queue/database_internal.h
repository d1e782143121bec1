#pragma once

#include "base/result.h"
#include "queue/owner_lock.h"
#include "queue/sqlite_internal.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace tessera {

/// A queue's file, owned by this process alone, checked and brought up to date. The connection is
/// for one thread at a time; readers have connections of their own.
class Database {
  public:
    /// `vfs` names SQLite's way to the disk; empty: its own. kConflict when another process owns
    /// it, kCorrupt when it is damaged, kUnsupported when it is no queue's or of a newer schema.
    [[nodiscard]] static Result<Database> open(
        const std::filesystem::path& path, int checkpoint_pages, const std::string& vfs
    );

    [[nodiscard]] sqlite3* connection() const { return connection_.get(); }
    /// Counts this start of a server, durably.
    [[nodiscard]] Result<std::uint32_t> next_incarnation();

    /// What is committed is on the disk when `commit` returns; or, where it need not be durable,
    /// with the system, so that only a power cut can lose it.
    [[nodiscard]] Status begin(bool is_durable);
    [[nodiscard]] Status commit();
    void roll_back();

  private:
    Database(OwnerLock lock, std::filesystem::path path, std::string vfs)
        : lock_(std::move(lock)), path_(std::move(path)), vfs_(std::move(vfs)) {}

    OwnerLock lock_;  // given up last
    std::filesystem::path path_;
    std::string vfs_;
    ConnectionHandle connection_;
    Statement begin_;
    Statement commit_;
    Statement roll_back_;
    bool is_full_sync_ = true;
};

/// Opens a connection with the settings that every one has.
[[nodiscard]] Result<ConnectionHandle> connect(
    const std::filesystem::path& path, int flags, const std::string& vfs
);

/// The schema's version; 0 for an empty file. kUnsupported when it is no queue's or is newer than
/// this program; kCorrupt when it is no database at all.
[[nodiscard]] Result<std::int64_t> check_schema(sqlite3* connection);

/// PRAGMA quick_check: reads all of the file. kCorrupt with the first thing found.
[[nodiscard]] Status check_integrity(sqlite3* connection);

}  // namespace tessera
