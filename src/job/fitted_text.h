#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Any bytes (a crashed process's last words) made text that passes check_text: each byte that is
/// not UTF-8 becomes '?', and what is too long is cut between characters.
namespace tessera {

/// The beginning, at most so many bytes.
[[nodiscard]] std::string text_beginning(std::string_view bytes, std::size_t limit);
/// The end, at most so many bytes.
[[nodiscard]] std::string text_end(std::string_view bytes, std::size_t limit);

}  // namespace tessera
