#pragma once

#include "base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tessera::api {

/// Letters that so many bytes become.
[[nodiscard]] constexpr std::size_t base64_length(std::size_t bytes) {
    return (bytes + 2) / 3 * 4;
}

/// RFC 4648's standard alphabet, with padding, in one line.
void append_base64(std::string& text, ByteView bytes);

/// Line breaks, spaces and missing padding are let pass. Nothing when it is none.
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);

enum class PictureTextFault : std::uint8_t { kNone, kAddress, kBadData };

struct PictureText {
    std::optional<Bytes> bytes;
    PictureTextFault fault = PictureTextFault::kNone;  ///< why there are no bytes
};

/// A picture as clients send it in JSON: bare base 64, or a data: URL with it. Addresses (http:,
/// https:) are told apart, since they are never fetched.
[[nodiscard]] PictureText read_picture_text(std::string_view text);

}  // namespace tessera::api
