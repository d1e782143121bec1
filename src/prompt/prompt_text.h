#pragma once

#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace tessera {

/// kInvalidArgument: invalid UTF-8 (with the byte's offset) or more than `limit_bytes`.
[[nodiscard]] Status check_prompt_text(std::string_view prompt, std::size_t limit_bytes);

/// What Python's re means by \s and \w in a str, which the prompt language is defined with.
[[nodiscard]] bool is_space(char32_t c);
[[nodiscard]] bool is_word_character(char32_t c);

struct Character {
    char32_t code;  ///< a byte that is not valid UTF-8 counts as U+FFFD
    std::size_t bytes;
};
/// The text must not be empty.
[[nodiscard]] Character first_character(std::string_view text);
[[nodiscard]] Character last_character(std::string_view text);

/// Without white space at the ends.
[[nodiscard]] std::string_view trimmed_front(std::string_view text);
[[nodiscard]] std::string_view trimmed_back(std::string_view text);
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Whether no word character touches the `length` bytes at `at` (Python's \b at both ends of a
/// word).
[[nodiscard]] bool stands_alone(std::string_view text, std::size_t at, std::size_t length);

/// Where `word` next stands by itself in the text (\bword\b), at `from` or later; npos: nowhere.
[[nodiscard]] std::size_t find_word(std::string_view text, std::string_view word, std::size_t from);

/// How many characters the text has.
[[nodiscard]] std::size_t character_count(std::string_view text);

/// The text in quotes, on one line, cut where it is long: as it may stand in a sentence.
[[nodiscard]] std::string quoted_text(std::string_view text);

}  // namespace tessera
