#include "job/fitted_text.h"

#include "base/utf8.h"

#include <algorithm>
#include <utility>

namespace tessera {
namespace {

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Each byte that is not UTF-8 becomes '?', so that the text does not grow.
std::string mended(std::string text) {
    constexpr std::size_t kLongestCharacter = 4;
    if (check_utf8(text)) {
        return text;
    }
    for (std::size_t at = 0; at < text.size();) {
        std::size_t length = 1;
        while (length <= kLongestCharacter && !check_utf8(std::string_view(text).substr(at, length))
        ) {
            ++length;
        }
        if (length > kLongestCharacter) {
            text[at] = '?';
            length = 1;
        }
        at += length;
    }
    return text;
}

}  // namespace

std::string text_beginning(std::string_view bytes, std::size_t limit) {
    std::size_t end = std::min(bytes.size(), limit);
    for (int i = 0; i < 3 && end > 0 && end < bytes.size() && is_continuation(bytes[end]); ++i) {
        --end;
    }
    return mended(std::string(bytes.substr(0, end)));
}

std::string text_end(std::string_view bytes, std::size_t limit) {
    std::size_t begin = bytes.size() - std::min(bytes.size(), limit);
    for (int i = 0; i < 3 && begin > 0 && begin < bytes.size() && is_continuation(bytes[begin]);
         ++i) {
        ++begin;
    }
    return mended(std::string(bytes.substr(begin)));
}

}  // namespace tessera
