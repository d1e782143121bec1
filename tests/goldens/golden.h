#pragma once

#include <cstdint>
#include <string>

namespace tessera {

enum class GoldenStatus : std::uint8_t {
    kPass,
    kFail,
    kNotBuilt,  ///< a feature that Tessera does not have yet
};

/// One compared tensor.
struct GoldenRow {
    std::string golden;
    std::string tensor;
    double error = 0.0;      ///< largest absolute difference
    double tolerance = 0.0;  ///< largest that passes
    GoldenStatus status = GoldenStatus::kFail;
    std::string note;  ///< why it failed without a number, or what is not built
};

/// How far a result may be from its reference: `of_max` times the reference's largest magnitude,
/// plus `absolute`.
struct GoldenTolerance {
    double of_max;
    double absolute;
};

}  // namespace tessera
