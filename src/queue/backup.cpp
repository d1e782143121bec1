#include "queue/backup.h"

#include "base/file.h"
#include "queue/database_internal.h"
#include "queue/owner_lock.h"
#include "queue/sqlite_internal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace tessera {
namespace {

namespace fs = std::filesystem;

/// More starts than a server makes between two backups.
constexpr std::int64_t kIncarnationGap = 100'000;

/// A file with a temporary name, gone again unless it is published under its own.
class Draft {
  public:
    [[nodiscard]] static Result<Draft> make(const fs::path& target) {
        Draft draft(target.string() + ".partial");
        std::error_code ignored;
        fs::remove(draft.path_, ignored);
        const int file = ::open(draft.path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (file < 0) {
            return fail(
                ErrorKind::kUnavailable,
                "cannot write {}: {}",
                draft.path_.string(),
                errno_text(errno)
            );
        }
        ::close(file);
        return draft;
    }
    ~Draft() {
        std::error_code ignored;
        for (const char* const suffix : {"", "-wal", "-shm", "-journal"}) {
            if (!path_.empty()) {
                fs::remove(path_.string() + suffix, ignored);
            }
        }
    }
    Draft(Draft&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    Draft& operator=(Draft&& other) = delete;

    [[nodiscard]] const fs::path& path() const { return path_; }

    /// Durable when it returns. Never replaces anything.
    [[nodiscard]] Status publish(const fs::path& target) {
        const fs::path folder = target.has_parent_path() ? target.parent_path() : ".";
        const int folder_file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const bool is_there = folder_file >= 0 && ::link(path_.c_str(), target.c_str()) == 0 &&
                              ::fsync(folder_file) == 0;
        const int code = errno;
        if (folder_file >= 0) {
            ::close(folder_file);
        }
        if (!is_there) {
            return fail(
                code == EEXIST ? ErrorKind::kConflict : ErrorKind::kUnavailable,
                "cannot write {}: {}",
                target.string(),
                errno_text(code)
            );
        }
        return {};
    }

  private:
    explicit Draft(fs::path path) : path_(std::move(path)) {}
    fs::path path_;
};

Status copy(sqlite3* source, sqlite3* target) {
    sqlite3_backup* const backup = sqlite3_backup_init(target, "main", source, "main");
    if (backup == nullptr) {
        return sqlite_failure(target, sqlite3_extended_errcode(target), "beginning a copy");
    }
    const int stepped = sqlite3_backup_step(backup, -1);
    const int finished = sqlite3_backup_finish(backup);
    if (stepped != SQLITE_DONE || finished != SQLITE_OK) {
        return sqlite_failure(target, finished == SQLITE_OK ? stepped : finished, "copying");
    }
    return {};
}

Status refuse_existing(const fs::path& path) {
    std::error_code ignored;
    if (fs::exists(path, ignored)) {
        return fail(
            ErrorKind::kConflict, "{} exists; name another file or move it away", path.string()
        );
    }
    return {};
}

/// Copies into a draft that is a plain file without a write-ahead log.
Status copy_into(const Draft& draft, sqlite3* source, std::int64_t incarnation_gap) {
    TESSERA_ASSIGN(const ConnectionHandle target, connect(draft.path(), SQLITE_OPEN_READWRITE, {}));
    TESSERA_TRY(copy(source, target.get()));
    TESSERA_TRY(execute(target.get(), "PRAGMA journal_mode=DELETE"));
    if (incarnation_gap == 0) {
        return {};
    }
    return execute(
        target.get(),
        fmt::format(
            "UPDATE meta SET value = value + {} WHERE name = 'incarnation'", incarnation_gap
        )
            .c_str()
    );
}

}  // namespace

Status backup_queue(const fs::path& database, const fs::path& target, const std::string& vfs) {
    TESSERA_TRY(refuse_existing(target));
    TESSERA_ASSIGN(const ConnectionHandle source, connect(database, SQLITE_OPEN_READONLY, vfs));
    TESSERA_TRY(check_schema(source.get()));
    TESSERA_ASSIGN(Draft draft, Draft::make(target));
    TESSERA_TRY(copy_into(draft, source.get(), 0));
    return draft.publish(target);
}

Result<BackupSummary> inspect_backup(const fs::path& backup) {
    std::error_code ignored;
    if (!fs::exists(backup, ignored)) {
        return fail(ErrorKind::kNotFound, "no file {}", backup.string());
    }
    TESSERA_ASSIGN(const ConnectionHandle connection, connect(backup, SQLITE_OPEN_READONLY, {}));
    sqlite3* const opened = connection.get();
    BackupSummary summary;
    TESSERA_ASSIGN(summary.schema, check_schema(opened));
    if (summary.schema == 0) {
        return fail(
            ErrorKind::kUnsupported, "{} is empty; name a backup of a queue", backup.string()
        );
    }
    TESSERA_TRY(check_integrity(opened));
    TESSERA_ASSIGN(summary.jobs, query_number(opened, "SELECT COUNT(*) FROM job"));
    TESSERA_ASSIGN(
        summary.live_jobs, query_number(opened, "SELECT COUNT(*) FROM job WHERE ended IS NULL")
    );
    TESSERA_ASSIGN(
        const auto incarnation,
        query_number(opened, "SELECT value FROM meta WHERE name = 'incarnation'")
    );
    summary.incarnation = static_cast<std::uint32_t>(incarnation);
    return summary;
}

Status restore_backup(const fs::path& backup, const fs::path& database) {
    TESSERA_TRY(inspect_backup(backup));
    TESSERA_ASSIGN(const OwnerLock lock, OwnerLock::take(database));
    TESSERA_TRY(refuse_existing(database));
    TESSERA_TRY(refuse_existing(database.string() + "-wal"));
    TESSERA_ASSIGN(const ConnectionHandle source, connect(backup, SQLITE_OPEN_READONLY, {}));
    TESSERA_ASSIGN(Draft draft, Draft::make(database));
    TESSERA_TRY(copy_into(draft, source.get(), kIncarnationGap));
    return draft.publish(database);
}

}  // namespace tessera
