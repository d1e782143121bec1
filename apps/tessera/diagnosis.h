#pragma once

#include "tessera/locations.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tessera::cli {

/// One thing that `tessera doctor` looked at.
struct Finding {
    enum class Verdict : std::uint8_t {
        kGood,
        kWeak,     ///< works, but not as well as it might
        kMissing,  ///< nothing, or not everything, can be rendered
    };
    Verdict verdict = Verdict::kGood;
    std::string subject;
    std::string detail;
    std::string mend;  ///< what to do about it; empty when all is well
};

/// Looks at everything that rendering needs. Changes nothing but that the cache folder is made.
[[nodiscard]] std::vector<Finding> diagnose(const Locations& locations);

}  // namespace tessera::cli
