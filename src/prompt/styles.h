#pragma once

#include "base/result.h"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// A named text to join with prompts. "{prompt}" in it is where the prompt goes; without that it
/// is appended after a comma.
struct PromptStyle {
    std::string name;
    std::string prompt;
    std::string negative_prompt;
};

/// Reads AUTOMATIC1111's styles.csv: RFC 4180 with a heading that names the columns, among them
/// name and prompt (or text), and mostly negative_prompt; a UTF-8 byte order mark is skipped, rows
/// without a name or whose name starts with # too. Of two styles of one name the last counts.
/// kCorrupt with the line; kExhausted: more than 4 MiB or 10,000 styles.
[[nodiscard]] Result<std::vector<PromptStyle>> parse_styles(std::string_view csv);

/// The same from a file; errors name it. kNotFound.
[[nodiscard]] Result<std::vector<PromptStyle>> read_styles(const std::filesystem::path& path);

/// Exactly that name. kNotFound with the nearest name, or where there are few with all.
[[nodiscard]] Result<PromptStyle> find_style(
    std::span<const PromptStyle> styles, std::string_view name
);

/// The prompt joined with one style's text, for prompts and negative prompts alike; apply several
/// one after the other. kInvalidArgument: the result is longer than a prompt may be.
[[nodiscard]] Result<std::string> apply_style(std::string_view style, std::string_view prompt);

}  // namespace tessera
