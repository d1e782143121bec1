#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tessera::cli {

/// What may be written to one of the standard streams.
struct Terminal {
    bool interactive = false;  ///< a person looks at it, and a line can be redrawn
    bool colour = false;       ///< interactive, and NO_COLOR is not set
    bool unicode = false;      ///< the locale's encoding is UTF-8
};

/// `file` is STDOUT_FILENO or STDERR_FILENO.
[[nodiscard]] Terminal look_at_terminal(int file);

/// Columns of the terminal; 80 when it does not say.
[[nodiscard]] std::size_t terminal_columns(int file);

/// Text from outside as it may be shown on a terminal: control characters, escape sequences among
/// them, become spaces; line ends stay.
[[nodiscard]] std::string printable(std::string_view text);

/// The same on one line.
[[nodiscard]] std::string printable_line(std::string_view text);

}  // namespace tessera::cli
