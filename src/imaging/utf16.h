#pragma once

#include "base/bytes.h"

#include <optional>
#include <string>
#include <string_view>

namespace tessera {

/// Appends valid UTF-8 as UTF-16, big-endian, without a byte order mark.
void append_utf16_big_endian(Bytes& out, std::string_view utf8);

/// UTF-16 to UTF-8, up to the first NUL. Nothing when a surrogate stands alone; an odd last byte
/// is dropped.
[[nodiscard]] std::optional<std::string> utf8_from_utf16(ByteView utf16, bool is_big_endian);

}  // namespace tessera
