#pragma once

#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// Weights, written or multiplied together by nesting, lie within plus and minus this.
constexpr double kMaxPromptWeight = 100;

/// A run of text of one weight, or a BREAK: the end of the chunk.
struct PromptFragment {
    std::string text;
    double weight = 1;
    bool chunk_break = false;  ///< then `text` and `weight` say nothing

    bool operator==(const PromptFragment&) const = default;
};

struct ParsedAttention {
    std::vector<PromptFragment> fragments;  ///< neighbours differ in weight; never empty
    std::vector<std::string> remarks;       ///< one sentence each, for the person who wrote it
};

/// Reads emphasis as AUTOMATIC1111's web UI does (parse_prompt_attention of its prompt_parser.py):
/// (words) weigh 1.1 times, [words] 1/1.1, (words:1.3) 1.3 times, nested ones multiply;
/// \( \) \[ \] \\ are the signs themselves, any other backslash vanishes; BREAK between words ends
/// the chunk. As there, a bracket that is never closed reaches to the end, a closing one that
/// closes nothing is a sign, and BREAK within brackets is only a word; of these there are remarks,
/// which count characters from `first_character`.
/// kInvalidArgument: a weight that is no number or beyond kMaxPromptWeight, brackets nested more
/// than 100 deep.
[[nodiscard]] Result<ParsedAttention> parse_attention(
    std::string_view text, std::size_t first_character = 1
);

/// The text written so that the prompt language takes every sign of it, BREAK, AND and tags too,
/// for itself.
[[nodiscard]] std::string escape_prompt(std::string_view text);

}  // namespace tessera
