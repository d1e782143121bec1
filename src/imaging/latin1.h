#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tessera {

/// ISO 8859-1 to UTF-8: every byte is a character.
[[nodiscard]] std::string utf8_from_latin1(std::string_view latin1);

/// Valid UTF-8 to ISO 8859-1; nothing when a character has no place there.
[[nodiscard]] std::optional<std::string> latin1_from_utf8(std::string_view utf8);

}  // namespace tessera
