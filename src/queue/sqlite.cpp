#include "base/file.h"
#include "queue/sqlite_internal.h"

#include <climits>

namespace tessera {
namespace {

ErrorKind kind_of(int code) {
    switch (code & 0xff) {
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_CANTOPEN:
        case SQLITE_NOMEM:
            return ErrorKind::kUnavailable;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return ErrorKind::kCorrupt;
        case SQLITE_TOOBIG:
            return ErrorKind::kExhausted;
        default:
            return ErrorKind::kInternal;
    }
}

std::string_view mend_of(int code) {
    switch (code & 0xff) {
        case SQLITE_FULL:
            return "; make room on its disk";
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return "; let the server write there";
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return "; restore a backup of it";
        default:
            return "";
    }
}

}  // namespace

tl::unexpected<Error> sqlite_failure(sqlite3* connection, int code, std::string_view doing) {
    const char* const path =
        connection == nullptr ? nullptr : sqlite3_db_filename(connection, "main");
    const int system = connection == nullptr || (code & 0xff) != SQLITE_IOERR
                           ? 0
                           : sqlite3_system_errno(connection);
    const char* const words = connection != nullptr && sqlite3_errcode(connection) == (code & 0xff)
                                  ? sqlite3_errmsg(connection)
                                  : sqlite3_errstr(code);
    return fail(
        kind_of(code),
        "database {}: {}: {}{}{}",
        path == nullptr ? "" : path,
        doing,
        words,
        system == 0 ? "" : " (" + errno_text(system) + ")",
        mend_of(code)
    );
}

Result<Statement> Statement::prepare(sqlite3* connection, std::string_view sql) {
    sqlite3_stmt* prepared = nullptr;
    const int code = sqlite3_prepare_v3(
        connection,
        sql.data(),
        static_cast<int>(sql.size()),
        SQLITE_PREPARE_PERSISTENT,
        &prepared,
        nullptr
    );
    if (code != SQLITE_OK) {
        return sqlite_failure(connection, code, "preparing a statement");
    }
    Statement statement;
    statement.statement_.reset(prepared);
    return statement;
}

Status Statement::run() {
    TESSERA_ASSIGN(const bool has_row, next());
    if (has_row) {
        reset();
    }
    return {};
}

Result<bool> Statement::next() {
    sqlite3_stmt* const statement = statement_.get();
    sqlite3* const connection = sqlite3_db_handle(statement);
    if (bind_error_ != SQLITE_OK) {
        return sqlite_failure(connection, bind_error_, "binding a value");
    }
    const int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code == SQLITE_DONE) {
        reset();
        return false;
    }
    auto failure = sqlite_failure(
        connection,
        sqlite3_extended_errcode(connection),
        sqlite3_stmt_readonly(statement) != 0 ? "reading" : "writing"
    );
    reset();
    return failure;
}

void Statement::reset() {
    sqlite3_reset(statement_.get());
    bind_error_ = SQLITE_OK;
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
    const auto* const text = sqlite3_column_text(statement_.get(), column);
    const int bytes = sqlite3_column_bytes(statement_.get(), column);
    return text == nullptr
               ? std::string_view()
               : std::string_view(
                     reinterpret_cast<const char*>(text), static_cast<std::size_t>(bytes)
                 );
}

std::string_view Statement::blob(int column) const {
    const void* const blob = sqlite3_column_blob(statement_.get(), column);
    const int bytes = sqlite3_column_bytes(statement_.get(), column);
    return blob == nullptr
               ? std::string_view()
               : std::string_view(static_cast<const char*>(blob), static_cast<std::size_t>(bytes));
}

void Statement::bind(int index, std::int64_t value) {
    bind_error_ |= sqlite3_bind_int64(statement_.get(), index, value);
}

void Statement::bind(int index, std::string_view value) {
    // An empty view may have no address, which SQLite would take for NULL.
    bind_error_ |= sqlite3_bind_text64(
        statement_.get(),
        index,
        value.empty() ? "" : value.data(),
        value.size(),
        SQLITE_STATIC,
        SQLITE_UTF8
    );
}

void Statement::bind(int index, Blob value) {
    bind_error_ |= sqlite3_bind_blob64(
        statement_.get(),
        index,
        value.bytes.empty() ? "" : value.bytes.data(),
        value.bytes.size(),
        SQLITE_STATIC
    );
}

void Statement::bind(int index, std::nullptr_t) {
    bind_error_ |= sqlite3_bind_null(statement_.get(), index);
}

Status execute(sqlite3* connection, const char* sql) {
    const int code = sqlite3_exec(connection, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        return sqlite_failure(connection, sqlite3_extended_errcode(connection), sql);
    }
    return {};
}

Result<std::int64_t> query_number(sqlite3* connection, std::string_view sql) {
    TESSERA_ASSIGN(Statement statement, Statement::prepare(connection, sql));
    TESSERA_ASSIGN(const bool has_row, statement.next());
    return has_row ? statement.integer(0) : 0;
}

Result<std::string> query_text(sqlite3* connection, std::string_view sql) {
    TESSERA_ASSIGN(Statement statement, Statement::prepare(connection, sql));
    TESSERA_ASSIGN(const bool has_row, statement.next());
    return has_row ? std::string(statement.text(0)) : std::string();
}

}  // namespace tessera
