#pragma once

#include <fmt/format.h>
#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace tessera {

/// What the caller can do about a failure (not where it came from).
enum class ErrorKind : std::uint8_t {
    kInvalidArgument,  ///< the request itself is wrong; change it
    kNotFound,         ///< the named thing is not there
    kConflict,         ///< it is there already, or in another state than expected
    kDenied,           ///< not allowed; with another key it may be
    kExhausted,        ///< a limit is reached: memory, disk, size, count
    kUnavailable,      ///< busy or away for now; retry later
    kDeadline,         ///< it took too long
    kCancelled,        ///< somebody asked to stop
    kCorrupt,          ///< stored or received data contradicts itself
    kUnsupported,      ///< well-formed, but not something this build can do
    kInternal,         ///< our own mistake
};

/// The kind's name in words ("invalid argument"), for logs and JSON.
[[nodiscard]] const char* to_string(ErrorKind kind);

/// A failure as a value. The message is one sentence for a person: it names the thing and, where
/// there is one, the mend.
struct Error {
    ErrorKind kind;
    std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

/// Success, or why not.
using Status = Result<void>;

/// Makes the error side of any Result: `return fail(ErrorKind::kNotFound, "no model at {}", path);`
template <class... Args>
[[nodiscard]] tl::unexpected<Error> fail(
    ErrorKind kind, fmt::format_string<Args...> format, Args&&... args
) {
    return tl::unexpected(Error{kind, fmt::format(format, std::forward<Args>(args)...)});
}

/// Passes a failure on with what was being done put in front: "unet/config.json: unknown ...".
[[nodiscard]] tl::unexpected<Error> within(std::string_view what, Error error);

}  // namespace tessera

#define TESSERA_CONCAT_INNER(a, b) a##b
#define TESSERA_CONCAT(a, b) TESSERA_CONCAT_INNER(a, b)

/// Returns the error of a Status or Result from the enclosing function, if it is one.
#define TESSERA_TRY(expression)                                      \
    do {                                                             \
        if (auto tessera_try = (expression); !tessera_try) {         \
            return ::tl::unexpected(std::move(tessera_try).error()); \
        }                                                            \
    } while (false)

/// Unwraps a Result into a variable, or returns its error: TESSERA_ASSIGN(auto file, open(path));
// NOLINTBEGIN(bugprone-macro-parentheses): `variable` may be a declaration
#define TESSERA_ASSIGN(variable, expression)                                                   \
    auto TESSERA_CONCAT(tessera_result_, __LINE__) = (expression);                             \
    if (!TESSERA_CONCAT(tessera_result_, __LINE__)) {                                          \
        return ::tl::unexpected(std::move(TESSERA_CONCAT(tessera_result_, __LINE__)).error()); \
    }                                                                                          \
    variable = *std::move(TESSERA_CONCAT(tessera_result_, __LINE__))
// NOLINTEND(bugprone-macro-parentheses)
