#pragma once

#include "base/result.h"

#include <cstddef>
#include <string_view>

/// Checks of single fields of what comes from outside. Each gives kInvalidArgument, and its error
/// begins with the field's name: "prompt has 9000 bytes, 8192 are allowed".
namespace tessera {

inline constexpr std::size_t kMaxIdBytes = 64;

/// UTF-8 of at most so many bytes.
[[nodiscard]] Status check_text(std::string_view field, std::string_view text, std::size_t limit);
/// Letters, digits, '-' and '_', 1 to 64.
[[nodiscard]] Status check_id(std::string_view field, std::string_view id);
/// 64 lower-case hex digits.
[[nodiscard]] Status check_hash(std::string_view field, std::string_view hash);
/// low <= value <= high; a NaN is neither.
[[nodiscard]] Status check_range(std::string_view field, double value, double low, double high);
/// At most so many entries.
[[nodiscard]] Status check_size(std::string_view field, std::size_t size, std::size_t limit);

/// The error with the field in front that holds the one it names: "task" and "plan.needs has …" to
/// "task.plan.needs has …".
[[nodiscard]] tl::unexpected<Error> in_field(std::string_view field, Error error);
/// The same for the index-th of a list: "tasks[3].needs has …".
[[nodiscard]] tl::unexpected<Error> in_field(
    std::string_view field, std::size_t index, Error error
);

}  // namespace tessera
