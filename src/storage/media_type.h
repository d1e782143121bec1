#pragma once

#include "base/bytes.h"

#include <string_view>

namespace tessera {

inline constexpr std::string_view kUnknownMediaType = "application/octet-stream";
/// So many bytes from the start are enough for media_type_of.
inline constexpr std::size_t kMediaTypeBytes = 12;

/// What the first bytes show: image/png, image/jpeg, image/webp, else kUnknownMediaType.
[[nodiscard]] std::string_view media_type_of(ByteView beginning);

/// Whether it has the form of RFC 9110's media types, in at most 127 characters, so that it can
/// stand in a header and in a file as it is.
[[nodiscard]] bool is_media_type(std::string_view text);

}  // namespace tessera
