#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace tessera::cli {

/// A line as a shell without variables splits it into words, and as Python's shlex.split does:
/// single quotes keep all, double quotes all but \" and \\, a backslash outside keeps the next
/// character. kInvalidArgument for a quote that is not closed or a backslash at the end.
[[nodiscard]] Result<std::vector<std::string>> split_words(std::string_view line);

}  // namespace tessera::cli
