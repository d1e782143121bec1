#include "imaging/latin1.h"

#include <cstddef>

namespace tessera {

std::string utf8_from_latin1(std::string_view latin1) {
    std::string utf8;
    utf8.reserve(latin1.size());
    for (const char raw : latin1) {
        const auto code = static_cast<unsigned char>(raw);
        if (code < 0x80U) {
            utf8 += raw;
        } else {
            utf8 += static_cast<char>(0xC0U | (code >> 6U));
            utf8 += static_cast<char>(0x80U | (code & 0x3FU));
        }
    }
    return utf8;
}

std::optional<std::string> latin1_from_utf8(std::string_view utf8) {
    std::string latin1;
    latin1.reserve(utf8.size());
    for (std::size_t at = 0; at < utf8.size(); ++at) {
        const auto lead = static_cast<unsigned char>(utf8[at]);
        if (lead < 0x80U) {
            latin1 += utf8[at];
            continue;
        }
        // U+0080..U+00FF are exactly the sequences that start with C2 or C3.
        if ((lead != 0xC2U && lead != 0xC3U) || at + 1 == utf8.size()) {
            return std::nullopt;
        }
        const auto trail = static_cast<unsigned char>(utf8[++at]);
        latin1 += static_cast<char>(((lead & 0x03U) << 6U) | (trail & 0x3FU));
    }
    return latin1;
}

}  // namespace tessera
