#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tessera {

/// What the JSON files of a model may be at most; the largest real ones (shard indexes and
/// vocabularies) stay below 4 MB and five levels.
inline constexpr std::uint64_t kMaxJsonBytes = 64ULL << 20U;
inline constexpr std::size_t kMaxJsonDepth = 32;

/// Checks that the text is one JSON object in valid UTF-8, nested at most `max_depth` deep and
/// without a duplicate key at any level. After that any JSON library may be let loose on it.
[[nodiscard]] Status check_json(std::string_view text, std::size_t max_depth = kMaxJsonDepth);

/// Reads a JSON file that check_json accepts. Errors name the file.
[[nodiscard]] Result<std::string> read_json_file(const std::filesystem::path& path);

}  // namespace tessera
