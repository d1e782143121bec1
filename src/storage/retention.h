#pragma once

#include "base/clock.h"
#include "base/id.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace tessera {

/// A job that has ended, and what its objects take.
struct EndedJob {
    JobId id;
    WallTime ended;
    std::uint64_t bytes = 0;
};

/// How long ended jobs are kept. Absent: no such limit.
struct RetentionPolicy {
    std::optional<Duration> max_age = std::nullopt;
    /// Of all ended jobs together.
    std::optional<std::uint64_t> max_bytes = std::nullopt;
    /// The newest so many stay, whatever else is said.
    std::size_t keep_at_least = 0;
};

/// The jobs to remove, oldest first: those past the age, and then the oldest ones until the rest
/// fits. Of equal age, by id. Jobs from the future (a clock was set back) count as new.
[[nodiscard]] std::vector<JobId> expired_jobs(
    std::vector<EndedJob> jobs, const RetentionPolicy& policy, WallTime now
);

}  // namespace tessera
