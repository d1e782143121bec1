#pragma once

#include "tessera/terminal.h"

#include <cstddef>
#include <optional>
#include <string>

namespace tessera::cli {

/// What a progress line shows.
struct ProgressState {
    std::string phase;    ///< "loading", "step"; shown alone while `steps` is 0
    std::string caption;  ///< the prompt
    std::size_t picture = 1;
    std::size_t pictures = 1;
    std::size_t step = 0;  ///< done
    std::size_t steps = 0;
    std::optional<double> steps_per_second;
    std::optional<double> seconds_left;
};

/// "3.4 it/s", or "2.1 s/it" below one a second.
[[nodiscard]] std::string format_rate(double steps_per_second);

/// "step 12/20, 3.4 it/s, 2 s left".
[[nodiscard]] std::string progress_words(const ProgressState& state);

/// One line of at most `columns` columns: words, a bar where there is room, as much of the caption
/// as fits.
[[nodiscard]] std::string progress_line(
    const ProgressState& state, std::size_t columns, const Terminal& terminal
);

}  // namespace tessera::cli
