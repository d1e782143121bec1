#pragma once

#include "base/bytes.h"

#include <optional>
#include <string>
#include <string_view>

namespace tessera {

/// RFC 4648, section 5, without padding.
[[nodiscard]] std::string to_base64_url(ByteView bytes);
/// Nothing for all that to_base64_url does not write: each text has one reading, each reading one
/// text.
[[nodiscard]] std::optional<Bytes> from_base64_url(std::string_view text);

}  // namespace tessera
