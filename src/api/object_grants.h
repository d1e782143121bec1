#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "queue/task_queue.h"
#include "storage/object_token.h"

#include <cstdint>
#include <functional>
#include <string>

namespace tessera::api {

/// Of one object that a worker stores: a picture of TenantLimits::max_pixels, incompressible.
inline constexpr std::uint64_t kMaxResultBytes = 288U << 20U;

/// Makes DispatcherOptions::object_token: a task may read its inputs, its job's pictures and its
/// checkpoint, and store objects. The token outlives every reasonable render; what a stale one
/// stores, nobody refers to. The clock must outlive the function.
[[nodiscard]] std::function<std::string(const Claim&)> object_token_maker(
    const ObjectTokens& tokens, const Clock& clock
);

/// The secret as the settings hold it. kInvalidArgument when it has not 32 bytes.
[[nodiscard]] Result<ObjectTokens> object_tokens(const std::string& secret);

}  // namespace tessera::api
