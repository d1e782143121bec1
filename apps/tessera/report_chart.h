#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::cli {

/// The server's answer (Report in api/openapi.json) as tables. Text from outside is shown without
/// its control characters; what the answer lacks counts as 0.
[[nodiscard]] std::vector<std::string> report_lines(std::string_view json);

/// The same as a drawing over time: pictures and failures, waits, busy slots. A whole SVG file,
/// with a ground of its own; reads no other files.
[[nodiscard]] std::string report_svg(std::string_view json);

}  // namespace tessera::cli
