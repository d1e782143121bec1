#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How values stand in columns.
namespace tessera {

[[nodiscard]] inline std::int64_t to_column(WallTime time) {
    return time.time_since_epoch().count();
}
[[nodiscard]] inline std::optional<std::int64_t> to_column(std::optional<WallTime> time) {
    return time ? std::optional(to_column(*time)) : std::nullopt;
}
[[nodiscard]] inline WallTime wall_time(std::int64_t column) {
    return WallTime(std::chrono::milliseconds(column));
}

template <class E>
requires std::is_enum_v<E>
[[nodiscard]] constexpr std::int64_t to_column(E value) {
    return static_cast<std::int64_t>(value);
}

/// kCorrupt for a number that is no value up to `last`.
template <class E>
requires std::is_enum_v<E>
[[nodiscard]] Result<E> enum_column(std::int64_t column, E last, std::string_view name) {
    if (column < 0 || column > to_column(last)) {
        return fail(ErrorKind::kCorrupt, "the queue's database holds {} {}", name, column);
    }
    return static_cast<E>(column);
}

[[nodiscard]] std::string encode_workers(const std::vector<WorkerId>& workers);
[[nodiscard]] Result<std::vector<WorkerId>> decode_workers(std::string_view column);

}  // namespace tessera
