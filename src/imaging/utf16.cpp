#include "imaging/utf16.h"

#include "imaging/byte_order.h"

#include <cstddef>
#include <cstdint>

namespace tessera {
namespace {

constexpr std::uint32_t kHighSurrogate = 0xD800;
constexpr std::uint32_t kLowSurrogate = 0xDC00;
constexpr std::uint32_t kSurrogateEnd = 0xE000;

/// The character at the front of valid UTF-8, which is cut off.
std::uint32_t take_character(std::string_view& utf8) {
    const auto lead = static_cast<unsigned char>(utf8.front());
    std::size_t length = 1;
    std::uint32_t code = lead;
    if (lead >= 0xF0U) {
        length = 4;
        code = lead & 0x07U;
    } else if (lead >= 0xE0U) {
        length = 3;
        code = lead & 0x0FU;
    } else if (lead >= 0xC0U) {
        length = 2;
        code = lead & 0x1FU;
    }
    for (const char trail : utf8.substr(1, length - 1)) {
        code = (code << 6U) | (static_cast<unsigned char>(trail) & 0x3FU);
    }
    utf8.remove_prefix(length);
    return code;
}

void append_character(std::string& out, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    const auto put_trail = [&](std::uint32_t shift) { put(0x80U | ((code >> shift) & 0x3FU)); };
    if (code < 0x80U) {
        put(code);
    } else if (code < 0x800U) {
        put(0xC0U | (code >> 6U));
        put_trail(0);
    } else if (code < 0x10000U) {
        put(0xE0U | (code >> 12U));
        put_trail(6);
        put_trail(0);
    } else {
        put(0xF0U | (code >> 18U));
        put_trail(12);
        put_trail(6);
        put_trail(0);
    }
}

}  // namespace

void append_utf16_big_endian(Bytes& out, std::string_view utf8) {
    while (!utf8.empty()) {
        const std::uint32_t code = take_character(utf8);
        if (code < 0x10000U) {
            put_big_endian_16(out, static_cast<std::uint16_t>(code));
        } else {
            const std::uint32_t offset = code - 0x10000U;
            put_big_endian_16(out, static_cast<std::uint16_t>(kHighSurrogate + (offset >> 10U)));
            put_big_endian_16(out, static_cast<std::uint16_t>(kLowSurrogate + (offset & 0x3FFU)));
        }
    }
}

std::optional<std::string> utf8_from_utf16(ByteView utf16, bool is_big_endian) {
    const auto unit_at = [&](std::size_t at) -> std::uint32_t {
        const std::uint16_t big = big_endian_16(utf16.subspan(at));
        return is_big_endian ? big : static_cast<std::uint16_t>((big << 8U) | (big >> 8U));
    };
    std::string out;
    for (std::size_t at = 0; at + 1 < utf16.size(); at += 2) {
        std::uint32_t code = unit_at(at);
        if (code == 0) {
            break;
        }
        if (code >= kHighSurrogate && code < kSurrogateEnd) {
            at += 2;
            if (code >= kLowSurrogate || at + 1 >= utf16.size()) {
                return std::nullopt;
            }
            const std::uint32_t low = unit_at(at);
            if (low < kLowSurrogate || low >= kSurrogateEnd) {
                return std::nullopt;
            }
            code = 0x10000U + ((code - kHighSurrogate) << 10U) + (low - kLowSurrogate);
        }
        append_character(out, code);
    }
    return out;
}

}  // namespace tessera
