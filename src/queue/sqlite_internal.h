#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// SQLite as values and destructors. For the .cpp files of this room.
namespace tessera {

struct CloseConnection {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
using ConnectionHandle = std::unique_ptr<sqlite3, CloseConnection>;

struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

/// Blobs are bound and read as this.
struct Blob {
    std::string_view bytes;
};

/// The last error of the connection: what was being done, what SQLite says of it, what to do. Of
/// kind kUnavailable for a full disk and failures of the disk, kCorrupt for a damaged file.
[[nodiscard]] tl::unexpected<Error> sqlite_failure(
    sqlite3* connection, int code, std::string_view doing
);

/// A prepared statement, used again and again:
///     update.with(number, text); TESSERA_TRY(update.run());
/// Texts and blobs that are bound must live until `run` has returned, or the last `next`.
class Statement {
  public:
    Statement() = default;

    [[nodiscard]] static Result<Statement> prepare(sqlite3* connection, std::string_view sql);

    template <class... Values>
    Statement& with(const Values&... values) {
        reset();
        int index = 0;
        (bind(++index, values), ...);
        return *this;
    }
    /// For statements without rows.
    [[nodiscard]] Status run();
    /// False: there are no more rows; the statement is reset.
    [[nodiscard]] Result<bool> next();
    void reset();

    [[nodiscard]] bool is_null(int column) const;
    [[nodiscard]] std::int64_t integer(int column) const;
    /// Valid until the next call of `next`, `run`, `with` or `reset`.
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] std::string_view blob(int column) const;

  private:
    void bind(int index, std::int64_t value);
    void bind(int index, int value) { bind(index, static_cast<std::int64_t>(value)); }
    void bind(int index, std::string_view value);
    void bind(int index, Blob value);
    void bind(int index, std::nullptr_t);
    template <class T>
    void bind(int index, const std::optional<T>& value) {
        if (value) {
            bind(index, *value);
        } else {
            bind(index, nullptr);
        }
    }

    std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
    int bind_error_ = SQLITE_OK;
};

/// Resets a statement whatever way its rows were left, so that its snapshot does not stay open.
class ResetGuard {
  public:
    explicit ResetGuard(Statement& statement) : statement_(statement) {}
    ~ResetGuard() { statement_.reset(); }
    ResetGuard(const ResetGuard&) = delete;
    ResetGuard& operator=(const ResetGuard&) = delete;

  private:
    Statement& statement_;
};

/// Runs statements that take and give nothing.
[[nodiscard]] Status execute(sqlite3* connection, const char* sql);

/// The single number that a query (a PRAGMA) gives.
[[nodiscard]] Result<std::int64_t> query_number(sqlite3* connection, std::string_view sql);
[[nodiscard]] Result<std::string> query_text(sqlite3* connection, std::string_view sql);

}  // namespace tessera
