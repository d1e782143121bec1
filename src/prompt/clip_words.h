#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// The text as CLIP reads it: Unicode NFC, then, where asked, lower case with the special rules
/// for U+0130 and for the sigma at the end of a word. The text must be valid UTF-8.
[[nodiscard]] std::u32string normalized_prompt(std::string_view text, bool lower_case);

/// The words of a normalized text in order, as views into it: the special tokens wherever they
/// stand, otherwise by CLIP's pattern
///   's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
/// What the pattern does not match (white space) is in no word. `special_tokens` are normalized
/// too and not empty.
[[nodiscard]] std::vector<std::u32string_view> prompt_words(
    std::u32string_view text, std::span<const std::u32string> special_tokens
);

[[nodiscard]] std::string to_utf8(std::u32string_view text);

}  // namespace tessera
