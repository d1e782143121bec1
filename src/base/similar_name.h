#pragma once

#include <span>
#include <string_view>

namespace tessera {

/// The candidate with the fewest single-character edits (Levenshtein) from the name; the first of
/// equals. Empty when none is within a third of the name's length, or when the lists are too long
/// for a hint to be worth the time.
[[nodiscard]] std::string_view most_similar(
    std::string_view name, std::span<const std::string_view> candidates
);

}  // namespace tessera
