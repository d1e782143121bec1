#pragma once

#include <string>
#include <string_view>

namespace tessera {

/// A name out of a file, for an error message: in quotes, with control characters and invalid UTF-8
/// escaped (a file must not drive the reader's terminal) and the middle of a very long one left
/// out.
[[nodiscard]] std::string in_quotes(std::string_view name);

/// True when the name can be one file in a known folder and nothing else: not empty, at most 255
/// bytes, no separator, no control character, no leading dot.
[[nodiscard]] bool is_plain_file_name(std::string_view name);

}  // namespace tessera
