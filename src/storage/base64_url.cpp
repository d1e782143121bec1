#include "storage/base64_url_internal.h"

#include <cstdint>

namespace tessera {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr unsigned kDigitBits = 6;
constexpr unsigned kByteBits = 8;

}  // namespace

std::string to_base64_url(ByteView bytes) {
    std::string text;
    text.reserve((bytes.size() * kByteBits + kDigitBits - 1) / kDigitBits);
    std::uint32_t waiting = 0;
    unsigned bits = 0;
    for (const std::byte byte : bytes) {
        waiting = (waiting << kByteBits) | std::to_integer<std::uint32_t>(byte);
        bits += kByteBits;
        while (bits >= kDigitBits) {
            bits -= kDigitBits;
            text.push_back(kDigits[(waiting >> bits) & 63U]);
        }
    }
    if (bits > 0) {
        text.push_back(kDigits[(waiting << (kDigitBits - bits)) & 63U]);
    }
    return text;
}

std::optional<Bytes> from_base64_url(std::string_view text) {
    Bytes bytes;
    bytes.reserve(text.size() * kDigitBits / kByteBits);
    std::uint32_t waiting = 0;
    unsigned bits = 0;
    for (const char digit : text) {
        const std::size_t value = kDigits.find(digit);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        waiting = (waiting << kDigitBits) | static_cast<std::uint32_t>(value);
        bits += kDigitBits;
        if (bits >= kByteBits) {
            bits -= kByteBits;
            bytes.push_back(static_cast<std::byte>((waiting >> bits) & 255U));
        }
    }
    const std::uint32_t rest = waiting & ((1U << bits) - 1U);
    if (bits >= kDigitBits || rest != 0) {
        return std::nullopt;
    }
    return bytes;
}

}  // namespace tessera
