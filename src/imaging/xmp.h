#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tessera {

/// An XMP packet with one property, `tessera:json` in the namespace urn:tessera:1.0, that holds
/// the text. The text must be valid UTF-8 without control characters other than tab and line ends.
[[nodiscard]] std::string write_xmp(std::string_view json);

/// The text of `tessera:json` in a packet, as an element (what write_xmp makes) or as an attribute
/// (what other programs may turn it into). Nothing when it is not there or is malformed.
[[nodiscard]] std::optional<std::string> read_xmp(std::string_view packet);

}  // namespace tessera
