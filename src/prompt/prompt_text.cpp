#include "prompt/prompt_text.h"

#include "base/utf8.h"

#include <utf8proc.h>

#include <algorithm>

namespace tessera {
namespace {

constexpr char32_t kReplacement = U'\uFFFD';
constexpr std::size_t kLongestCharacter = 4;

bool starts_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

}  // namespace

Status check_prompt_text(std::string_view prompt, std::size_t limit_bytes) {
    if (prompt.size() > limit_bytes) {
        return fail(
            ErrorKind::kInvalidArgument,
            "the prompt is {} bytes long; the limit is {} bytes, so shorten it",
            prompt.size(),
            limit_bytes
        );
    }
    if (auto valid = check_utf8(prompt); !valid) {
        return within("the prompt", std::move(valid).error());
    }
    return {};
}

bool is_space(char32_t c) {
    if ((c >= U'\t' && c <= U'\r') || (c >= U'\x1C' && c <= U'\x1F') || c == U'\u0085') {
        return true;
    }
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

bool is_word_character(char32_t c) {
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
        case UTF8PROC_CATEGORY_ND:
        case UTF8PROC_CATEGORY_NL:
        case UTF8PROC_CATEGORY_NO:
            return true;
        default:
            return c == U'_';
    }
}

Character first_character(std::string_view text) {
    utf8proc_int32_t code = 0;
    const auto length = utf8proc_iterate(
        reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
        static_cast<utf8proc_ssize_t>(text.size()),
        &code
    );
    if (length < 1) {
        return {kReplacement, 1};
    }
    return {static_cast<char32_t>(code), static_cast<std::size_t>(length)};
}

Character last_character(std::string_view text) {
    const std::size_t farthest = std::min(text.size(), kLongestCharacter);
    for (std::size_t bytes = 1; bytes <= farthest; ++bytes) {
        const auto tail = text.substr(text.size() - bytes);
        if (starts_character(tail.front())) {
            const Character c = first_character(tail);
            return c.bytes == bytes ? c : Character{kReplacement, 1};
        }
    }
    return {kReplacement, 1};
}

std::string_view trimmed_front(std::string_view text) {
    while (!text.empty()) {
        const Character c = first_character(text);
        if (!is_space(c.code)) {
            break;
        }
        text.remove_prefix(c.bytes);
    }
    return text;
}

std::string_view trimmed_back(std::string_view text) {
    while (!text.empty()) {
        const Character c = last_character(text);
        if (!is_space(c.code)) {
            break;
        }
        text.remove_suffix(c.bytes);
    }
    return text;
}

std::string_view trimmed(std::string_view text) {
    return trimmed_back(trimmed_front(text));
}

bool stands_alone(std::string_view text, std::size_t at, std::size_t length) {
    const auto before = text.substr(0, at);
    const auto after = text.substr(at + length);
    return (before.empty() || !is_word_character(last_character(before).code)) &&
           (after.empty() || !is_word_character(first_character(after).code));
}

std::size_t find_word(std::string_view text, std::string_view word, std::size_t from) {
    std::size_t at = text.find(word, from);
    while (at != std::string_view::npos && !stands_alone(text, at, word.size())) {
        at = text.find(word, at + 1);
    }
    return at;
}

std::size_t character_count(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string quoted_text(std::string_view text) {
    constexpr std::size_t kMostColumns = 60;
    std::string line(text);
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c >= '\0' && c < ' '; }, ' '
    );
    if (display_width(line) > kMostColumns) {
        line = trimmed_back(fit_to_width(line, kMostColumns));
    }
    return '"' + line + '"';
}

}  // namespace tessera
