#pragma once

#include "base/result.h"
#include "checkpoint/diffusers_folder.h"

#include <filesystem>
#include <string>

namespace tessera::cli {

/// What identifies a model in a picture's metadata: the SHA-256 of its UNet's weight file, 64 hex
/// digits (of a sharded one: of the shards' digests, by file name). Reads the file whole, but once:
/// the result is kept in `memory` (a folder; empty or unusable: not kept) until the file changes.
[[nodiscard]] Result<std::string> model_hash(
    const DiffusersFolder& folder, const std::filesystem::path& memory
);

}  // namespace tessera::cli
