#pragma once

#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace tessera {

/// kInvalidArgument with the offset of the first byte that is not valid UTF-8 (RFC 3629).
[[nodiscard]] Status check_utf8(std::string_view text);

/// Columns that a terminal uses for the text: 2 for wide characters (CJK, emoji), 0 for combining
/// ones. Invalid bytes count 1 each.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// The text cut to at most `columns` terminal columns, between characters, "…" at the cut; padded
/// with spaces on the right to exactly that width.
[[nodiscard]] std::string fit_to_width(std::string_view text, std::size_t columns);

}  // namespace tessera
