#include "base/file.h"
#include "queue/database_internal.h"
#include "queue/schema.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

namespace tessera {
namespace {

constexpr mode_t kOwnerOnly = 0600;
constexpr int kBusyMilliseconds = 5000;

/// Prompts are private: the file, and those that SQLite puts beside it, are the owner's alone.
Status make_private(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnly);
    if (file < 0) {
        return fail(
            ErrorKind::kUnavailable, "cannot open {}: {}", path.string(), errno_text(errno)
        );
    }
    const int code = ::fchmod(file, kOwnerOnly) == 0 ? 0 : errno;
    ::close(file);
    if (code != 0) {
        return fail(
            ErrorKind::kUnavailable, "cannot make {} private: {}", path.string(), errno_text(code)
        );
    }
    return {};
}

Status set_up(sqlite3* connection, int checkpoint_pages) {
    // The switch to the write-ahead log must not be undone by a journal that a power cut brings
    // back.
    TESSERA_TRY(execute(connection, "PRAGMA synchronous=EXTRA"));
    TESSERA_ASSIGN(const std::string mode, query_text(connection, "PRAGMA journal_mode=WAL"));
    if (mode != "wal") {
        return fail(
            ErrorKind::kUnavailable,
            "database {}: the file system cannot share memory between connections, which a queue "
            "needs; put it on a local disk",
            sqlite3_db_filename(connection, "main")
        );
    }
    sqlite3_wal_autocheckpoint(connection, checkpoint_pages);
    return execute(
        connection,
        "PRAGMA synchronous=FULL;"
        "PRAGMA foreign_keys=ON;"
        "PRAGMA temp_store=MEMORY;"
        "PRAGMA cache_size=-16384;"
        "PRAGMA journal_size_limit=67108864;"
    );
}

Status migrate(sqlite3* connection, std::int64_t version) {
    for (; version < schema_version(); ++version) {
        const char* const step = schema_migrations()[static_cast<std::size_t>(version)];
        auto status = execute(connection, "BEGIN IMMEDIATE");
        if (status) {
            status = execute(connection, step);
        }
        if (status) {
            status = execute(
                connection,
                fmt::format(
                    "PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
                    kApplicationId,
                    version + 1
                )
                    .c_str()
            );
        }
        if (!status) {
            if (sqlite3_get_autocommit(connection) == 0) {
                static_cast<void>(execute(connection, "ROLLBACK"));
            }
            return status;
        }
    }
    return {};
}

}  // namespace

Result<ConnectionHandle> connect(
    const std::filesystem::path& path, int flags, const std::string& vfs
) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(
        path.c_str(),
        &opened,
        flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        vfs.empty() ? nullptr : vfs.c_str()
    );
    ConnectionHandle connection(opened);
    if (code != SQLITE_OK) {
        return fail(
            ErrorKind::kUnavailable,
            "cannot open database {}: {}",
            path.string(),
            sqlite3_errstr(code)
        );
    }
    sqlite3_busy_timeout(opened, kBusyMilliseconds);
    TESSERA_TRY(execute(opened, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON"));
    return connection;
}

Result<std::int64_t> check_schema(sqlite3* connection) {
    const char* const path = sqlite3_db_filename(connection, "main");
    TESSERA_ASSIGN(const auto version, query_number(connection, "PRAGMA user_version"));
    TESSERA_ASSIGN(const auto application, query_number(connection, "PRAGMA application_id"));
    TESSERA_ASSIGN(
        const auto tables, query_number(connection, "SELECT COUNT(*) FROM sqlite_schema")
    );
    if (application == 0 && version == 0 && tables == 0) {
        return 0;
    }
    if (application != kApplicationId || version < 1) {
        return fail(
            ErrorKind::kUnsupported, "database {} is no queue of Tessera's; name another file", path
        );
    }
    if (version > schema_version()) {
        return fail(
            ErrorKind::kUnsupported,
            "database {} was written by a newer Tessera (schema {}, this one knows {}); use that "
            "one, or restore a backup from before",
            path,
            version,
            schema_version()
        );
    }
    return version;
}

Status check_integrity(sqlite3* connection) {
    TESSERA_ASSIGN(const std::string found, query_text(connection, "PRAGMA quick_check(1)"));
    if (found != "ok") {
        return fail(
            ErrorKind::kCorrupt,
            "database {} is damaged ({}); restore a backup of it",
            sqlite3_db_filename(connection, "main"),
            found
        );
    }
    return {};
}

Result<Database> Database::open(
    const std::filesystem::path& path, int checkpoint_pages, const std::string& vfs
) {
    TESSERA_ASSIGN(OwnerLock lock, OwnerLock::take(path));
    Database database(std::move(lock), path, vfs);
    if (vfs.empty()) {
        TESSERA_TRY(make_private(path));
    }
    TESSERA_ASSIGN(
        database.connection_, connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs)
    );
    sqlite3* const connection = database.connection();
    TESSERA_ASSIGN(const std::int64_t version, check_schema(connection));
    if (version > 0) {
        TESSERA_TRY(check_integrity(connection));
    }
    TESSERA_TRY(set_up(connection, checkpoint_pages));
    TESSERA_TRY(migrate(connection, version));
    TESSERA_ASSIGN(database.begin_, Statement::prepare(connection, "BEGIN IMMEDIATE"));
    TESSERA_ASSIGN(database.commit_, Statement::prepare(connection, "COMMIT"));
    TESSERA_ASSIGN(database.roll_back_, Statement::prepare(connection, "ROLLBACK"));
    return database;
}

Result<std::uint32_t> Database::next_incarnation() {
    TESSERA_TRY(begin(true));
    const auto stored = query_number(
        connection(), "UPDATE meta SET value = value + 1 WHERE name = 'incarnation' RETURNING value"
    );
    auto status = stored ? commit() : Status(tl::unexpected(stored.error()));
    if (!status) {
        roll_back();
        return tl::unexpected(std::move(status).error());
    }
    if (*stored < 1 || *stored > std::numeric_limits<std::int32_t>::max()) {
        return fail(
            ErrorKind::kCorrupt,
            "database {} says that it is its {}-th start; restore a backup of it",
            path_.string(),
            *stored
        );
    }
    return static_cast<std::uint32_t>(*stored);
}

Status Database::begin(bool is_durable) {
    if (is_durable != is_full_sync_) {
        TESSERA_TRY(execute(
            connection(), is_durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"
        ));
        is_full_sync_ = is_durable;
    }
    return begin_.run();
}

Status Database::commit() {
    return commit_.run();
}

void Database::roll_back() {
    if (sqlite3_get_autocommit(connection()) == 0) {
        static_cast<void>(roll_back_.run());
    }
}

}  // namespace tessera
