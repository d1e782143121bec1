#pragma once

#include "base/result.h"
#include "imaging/foreign_parameters.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace tessera {

/// What becomes of one of the parameters that A1111 1.10 and its kin write.
struct A1111Key {
    enum class Fate : std::uint8_t {
        kHonoured,     ///< goes into ForeignParameters
        kHarmless,     ///< says nothing that changes the picture
        kNotHonoured,  ///< changes the picture and has no counterpart
    };
    std::string_view key;
    Fate fate;
    /// kNotHonoured: what it does, as the end of "... is not possible here: ".
    std::string_view meaning;
    /// kNotHonoured: with this value it does nothing.
    std::string_view idle_value;
};

/// Every key that is known, for the documentation and tests.
[[nodiscard]] std::span<const A1111Key> known_a1111_keys();

/// Takes A1111's text apart, and that of its kin (Forge, stable-diffusion.cpp). What is not said is
/// absent, but the noise is A1111's default. kInvalidArgument when the text says nothing of how the
/// picture was made, or says something that cannot be: the sentence names it.
[[nodiscard]] Result<ForeignParameters> read_a1111_parameters(std::string_view infotext);

}  // namespace tessera
