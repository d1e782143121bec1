#pragma once

#include "base/result.h"
#include "tessera/picture_option.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tessera::cli {

/// One line of a prompt file: what it changes of the options that the command was given.
struct PromptLine {
    std::size_t number = 0;  ///< in the file, from 1
    std::string text;        ///< as it stands there, without space around
    /// Each option once; the values are checked. kPrompt is always among them.
    std::vector<std::pair<PictureOption, std::string>> changes;
    std::optional<int> count;  ///< pictures, 1..1000

    bool operator==(const PromptLine&) const = default;
};

/// A line that makes no sense.
struct BadPromptLine {
    std::size_t number = 0;
    std::string problem;  ///< a sentence

    bool operator==(const BadPromptLine&) const = default;
};

struct PromptFile {
    std::vector<PromptLine> lines;
    std::vector<BadPromptLine> bad_lines;

    bool operator==(const PromptFile&) const = default;
};

inline constexpr std::uint64_t kMostPromptFileBytes = 16ULL << 20U;
inline constexpr std::size_t kMostPromptLineBytes = 64U << 10U;
inline constexpr std::size_t kMostPromptLines = 100'000;

/// The text of a prompt file, or of standard input where `path` is "-"; blocks until that ends.
/// kNotFound, kInvalidArgument, kUnavailable, or kExhausted for more than 16 MiB.
[[nodiscard]] Result<std::string> read_prompts(const std::string& path);

/// One prompt a line. Blank lines and those that begin with # are passed over; a byte order mark
/// and Windows line ends do no harm. A line that begins with -- holds options in A1111's form
/// ("Prompts from file or textbox") or with the names of `tessera render`:
///
///     --prompt "a lake at dawn" --negative_prompt "boats" --steps 20 --width 512 --height 768
///
/// A line that makes no sense is among the bad ones and spoils no other. kExhausted for more than
/// 100,000 lines.
[[nodiscard]] Result<PromptFile> parse_prompts(std::string_view content);

}  // namespace tessera::cli
