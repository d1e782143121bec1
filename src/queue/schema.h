#pragma once

#include <cstdint>
#include <span>

/// The tables of a queue's database (docs/queue.md).
namespace tessera {

/// Stands in the file's header: "TsrQ".
inline constexpr std::int64_t kApplicationId = 0x54737251;

/// What leads from schema version i to i + 1, from an empty file on. Only ever appended to.
[[nodiscard]] std::span<const char* const> schema_migrations();

/// The newest version, which is PRAGMA user_version of a file that is up to date.
[[nodiscard]] std::int64_t schema_version();

}  // namespace tessera
