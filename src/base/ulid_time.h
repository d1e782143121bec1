#pragma once

#include "base/clock.h"

#include <optional>
#include <string_view>

namespace tessera {

/// When an id was made by new_ulid (base/entropy.h); nothing when it is no such id.
[[nodiscard]] std::optional<WallTime> ulid_time(std::string_view id);

}  // namespace tessera
