#pragma once

#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::cli {

/// "a, b" as {"a", "b"}: one line of CSV (RFC 4180), with the space around values left out unless
/// it is inside of quotes. kInvalidArgument when there is no value, an empty one without quotes, or
/// a quote that is not closed.
[[nodiscard]] Result<std::vector<std::string>> split_values(std::string_view text);

/// "10-30" as the numbers from 10 to 30 by ones (a range of real numbers: by ones too), "10-30+5"
/// and "10-30 (+5)" by fives, "30-10 (-5)" downwards, "10-30 [3]" as three numbers evenly apart.
/// Whole numbers are cut, as A1111 does. Text of another form comes back as it is, for others to
/// check. kInvalidArgument for a range that makes no sense, kExhausted beyond `most` numbers.
[[nodiscard]] Result<std::vector<std::string>> expand_range(
    std::string_view text, bool whole, std::size_t most
);

}  // namespace tessera::cli
