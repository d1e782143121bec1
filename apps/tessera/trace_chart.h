#pragma once

#include "tessera/terminal.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::cli {

/// A bar of a chart over time.
struct ChartRow {
    std::size_t depth = 0;  ///< what it is a part of stands above it, one less deep
    std::string label;
    double begin = 0.0;  ///< in seconds
    double end = 0.0;
    bool waits = false;   ///< nobody works meanwhile: drawn lighter
    bool failed = false;  ///< drawn in red where there is colour
    std::string words;    ///< what stands behind the bar
};

/// Where a job's time went.
struct TraceChart {
    std::string headline;
    double seconds = 0.0;  ///< what the bars' full length stands for
    std::vector<ChartRow> rows;
};

/// Of the server's answer (JobTrace in api/openapi.json); empty when it is none.
[[nodiscard]] TraceChart read_trace(std::string_view json);

/// One line for the headline and for each row. No line is wider than `columns`; 0: whatever the
/// words take. Text from outside is shown without its control characters.
[[nodiscard]] std::vector<std::string> chart_lines(
    const TraceChart& chart, std::size_t columns, const Terminal& terminal
);

/// "7 ms", "1.25 s", "45 s", "3 min 20 s".
[[nodiscard]] std::string short_time(double seconds);

}  // namespace tessera::cli
