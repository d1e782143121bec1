#include "api/base64.h"

#include "http/message.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tessera::api {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 255;

constexpr std::array<std::uint8_t, 256> kDigits = [] {
    std::array<std::uint8_t, 256> digits{};
    for (auto& digit : digits) {
        digit = kNoDigit;
    }
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
        digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return digits;
}();

bool begins_with(std::string_view text, std::string_view start) {
    return text.size() >= start.size() &&
           http::equal_without_case(text.substr(0, start.size()), start);
}

}  // namespace

void append_base64(std::string& text, ByteView bytes) {
    text.reserve(text.size() + base64_length(bytes.size()));
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            group = (group << 8U) | (k < count ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            text += k <= count ? kAlphabet[(group >> (18U - 6U * k)) & 63U] : '=';
        }
    }
}

std::optional<Bytes> from_base64(std::string_view text) {
    Bytes bytes;
    bytes.reserve(text.size() / 4 * 3 + 3);
    std::uint32_t group = 0;
    std::size_t digits = 0;
    std::size_t padding = 0;
    for (const char letter : text) {
        if (letter == '\n' || letter == '\r' || letter == ' ') {
            continue;
        }
        if (letter == '=') {
            ++padding;
            continue;
        }
        const std::uint8_t digit = kDigits[static_cast<unsigned char>(letter)];
        if (digit == kNoDigit || padding > 0) {
            return std::nullopt;
        }
        group = (group << 6U) | digit;
        if (++digits % 4 == 0) {
            for (const unsigned shift : {16U, 8U, 0U}) {
                bytes.push_back(static_cast<std::byte>((group >> shift) & 255U));
            }
            group = 0;
        }
    }
    const std::size_t rest = digits % 4;
    if (rest == 1 || (padding > 0 && (rest == 0 || rest + padding != 4))) {
        return std::nullopt;
    }
    if (rest >= 2) {
        bytes.push_back(static_cast<std::byte>((group >> (rest == 2 ? 4U : 10U)) & 255U));
    }
    if (rest == 3) {
        bytes.push_back(static_cast<std::byte>((group >> 2U) & 255U));
    }
    return bytes;
}

PictureText read_picture_text(std::string_view text) {
    if (begins_with(text, "http://") || begins_with(text, "https://")) {
        return {std::nullopt, PictureTextFault::kAddress};
    }
    if (begins_with(text, "data:")) {
        const auto comma = text.find(',');
        if (comma == std::string_view::npos || !text.substr(0, comma).ends_with(";base64")) {
            return {std::nullopt, PictureTextFault::kBadData};
        }
        text.remove_prefix(comma + 1);
    }
    auto bytes = from_base64(text);
    if (!bytes || bytes->empty()) {
        return {std::nullopt, PictureTextFault::kBadData};
    }
    return {std::move(bytes), PictureTextFault::kNone};
}

}  // namespace tessera::api
