#include "prompt/clip_words.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace tessera {
namespace {

constexpr char32_t kCapitalSigma = U'\u03A3';
constexpr char32_t kFinalSigma = U'\u03C2';
constexpr char32_t kCapitalDottedI = U'\u0130';
constexpr char32_t kCombiningDot = U'\u0307';
constexpr char32_t kCombiningIota = U'\u0345';

utf8proc_category_t category(char32_t c) {
    return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

std::u32string code_points(std::string_view text) {
    std::u32string points;
    points.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        utf8proc_int32_t point = 0;
        const auto length = utf8proc_iterate(
            reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
            static_cast<utf8proc_ssize_t>(text.size() - at),
            &point
        );
        points += static_cast<char32_t>(point);
        at += static_cast<std::size_t>(length);
    }
    return points;
}

/// NFC. utf8proc's own decomposition orders combining marks by exchanging neighbours, quadratic in
/// the length of a run of marks; here runs are sorted.
std::u32string composed(std::u32string_view points) {
    // The options are flags. NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange)
    constexpr auto kCompose = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);

    std::vector<utf8proc_int32_t> buffer;
    buffer.reserve(points.size());
    for (const char32_t point : points) {
        // Canonical decompositions are at most 4 code points long (UAX #15).
        std::array<utf8proc_int32_t, 8> parts{};
        int unused_boundary = 0;
        const auto count = utf8proc_decompose_char(
            static_cast<utf8proc_int32_t>(point),
            parts.data(),
            parts.size(),
            UTF8PROC_DECOMPOSE,
            &unused_boundary
        );
        buffer.insert(buffer.end(), parts.begin(), parts.begin() + count);
    }

    const auto combining_class = [](utf8proc_int32_t point) {
        return utf8proc_get_property(point)->combining_class;
    };
    const auto is_starter = [&](utf8proc_int32_t point) { return combining_class(point) == 0; };
    for (auto run = buffer.begin(); run != buffer.end();) {
        run = std::find_if_not(run, buffer.end(), is_starter);
        const auto run_end = std::find_if(run, buffer.end(), is_starter);
        std::stable_sort(run, run_end, [&](utf8proc_int32_t a, utf8proc_int32_t b) {
            return combining_class(a) < combining_class(b);
        });
        run = run_end;
    }

    const auto length = utf8proc_normalize_utf32(
        buffer.data(), static_cast<utf8proc_ssize_t>(buffer.size()), kCompose
    );
    return {buffer.begin(), buffer.begin() + length};
}

bool is_cased(char32_t c) {
    switch (category(c)) {
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
            return true;
        default:
            return false;
    }
}

/// Case_Ignorable of Unicode chapter 3.13: marks, format characters, modifiers, and the
/// punctuation that stands within words.
bool is_case_ignorable(char32_t c) {
    constexpr std::u32string_view kWithinWords =
        U"'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";
    switch (category(c)) {
        case UTF8PROC_CATEGORY_MN:
        case UTF8PROC_CATEGORY_ME:
        case UTF8PROC_CATEGORY_CF:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_SK:
            return true;
        default:
            return kWithinWords.find(c) != std::u32string_view::npos;
    }
}

/// Whether the sigma at `at` ends a word: a cased letter before it, none after it.
bool is_final_sigma(std::u32string_view text, std::size_t at) {
    const auto before = text.substr(0, at);
    const auto after = text.substr(at + 1);
    const auto previous = std::find_if_not(before.rbegin(), before.rend(), is_case_ignorable);
    const auto next = std::find_if_not(after.begin(), after.end(), is_case_ignorable);
    return previous != before.rend() && is_cased(*previous) &&
           (next == after.end() || !is_cased(*next));
}

std::u32string lower_case_of(std::u32string_view text) {
    std::u32string lower;
    lower.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == kCapitalDottedI) {
            lower += {U'i', kCombiningDot};
        } else if (text[i] == kCapitalSigma && is_final_sigma(text, i)) {
            lower += kFinalSigma;
        } else {
            lower +=
                static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(text[i])));
        }
    }
    return lower;
}

enum class CharacterClass : std::uint8_t { kSeparator, kLetter, kNumber, kOther };

CharacterClass character_class(char32_t c) {
    // No word of the reference tokenizers holds the combining iota: they match without regard to
    // case, and its upper case is a letter, so neither it nor the letters' class takes it.
    if ((c >= U'\t' && c <= U'\r') || c == U'\u0085' || c == kCombiningIota) {
        return CharacterClass::kSeparator;
    }
    switch (category(c)) {
        case UTF8PROC_CATEGORY_ZS:
        case UTF8PROC_CATEGORY_ZL:
        case UTF8PROC_CATEGORY_ZP:
            return CharacterClass::kSeparator;
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
            return CharacterClass::kLetter;
        case UTF8PROC_CATEGORY_ND:
        case UTF8PROC_CATEGORY_NL:
        case UTF8PROC_CATEGORY_NO:
            return CharacterClass::kNumber;
        default:
            return CharacterClass::kOther;
    }
}

/// The length of the special token that the text starts with, the longest of several; 0 if none.
std::size_t special_length(
    std::u32string_view text, std::span<const std::u32string> special_tokens
) {
    std::size_t length = 0;
    for (const std::u32string& special : special_tokens) {
        if (text.starts_with(special)) {
            length = std::max(length, special.size());
        }
    }
    return length;
}

/// The length of 's, 't, 're, 've, 'm, 'll or 'd in either case at the start of the text; else 0.
std::size_t contraction_length(std::u32string_view text) {
    constexpr std::array<std::u32string_view, 7> kContractions{
        U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
    const auto same_letter = [](char32_t pattern, char32_t c) {
        return c == pattern || (c >= U'A' && c <= U'Z' && c - U'A' + U'a' == pattern);
    };
    for (const std::u32string_view contraction : kContractions) {
        const auto head = text.substr(0, contraction.size());
        if (std::equal(
                contraction.begin(), contraction.end(), head.begin(), head.end(), same_letter
            )) {
            return contraction.size();
        }
    }
    return 0;
}

}  // namespace

std::u32string normalized_prompt(std::string_view text, bool lower_case) {
    std::u32string points = composed(code_points(text));
    return lower_case ? lower_case_of(points) : points;
}

std::vector<std::u32string_view> prompt_words(
    std::u32string_view text, std::span<const std::u32string> special_tokens
) {
    std::vector<std::u32string_view> words;
    while (!text.empty()) {
        std::size_t length = special_length(text, special_tokens);
        if (length == 0) {
            length = contraction_length(text);
        }
        if (length == 0) {
            const CharacterClass first = character_class(text.front());
            length = 1;
            if (first == CharacterClass::kSeparator) {
                text.remove_prefix(1);
                continue;
            }
            // A number is a word by itself; a run of letters or of signs is one word.
            while (first != CharacterClass::kNumber && length < text.size() &&
                   character_class(text[length]) == first &&
                   special_length(text.substr(length), special_tokens) == 0) {
                ++length;
            }
        }
        words.push_back(text.substr(0, length));
        text.remove_prefix(length);
    }
    return words;
}

std::string to_utf8(std::u32string_view text) {
    std::string bytes;
    for (const char32_t point : text) {
        std::array<utf8proc_uint8_t, 4> encoded{};
        const auto length =
            utf8proc_encode_char(static_cast<utf8proc_int32_t>(point), encoded.data());
        bytes.append(encoded.begin(), encoded.begin() + length);
    }
    return bytes;
}

}  // namespace tessera
