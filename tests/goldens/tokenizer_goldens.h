#pragma once

#include "goldens/golden.h"

#include <filesystem>
#include <string>
#include <vector>

namespace tessera {

/// The CLIP tokenizer on a case's prompts. The vocabulary is the case's own merges file where it
/// has one, else `clip_merges`. One row: the error counts the prompts whose ids differ.
[[nodiscard]] std::vector<GoldenRow> check_tokenizer(
    const std::string& name,
    const std::filesystem::path& folder,
    const std::filesystem::path& clip_merges
);

}  // namespace tessera
