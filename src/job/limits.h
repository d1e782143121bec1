#pragma once

#include "base/result.h"
#include "job/job_spec.h"
#include "job/resolved_job.h"

#include <cstddef>
#include <cstdint>

namespace tessera {

/// How much one tenant may ask for. Costs in megapixel-steps (cost.h): with guidance, a picture of
/// 512x512 in 20 steps costs 11.3.
struct TenantLimits {
    // One job.
    int max_side = 8192;  ///< of a picture, finished or on the way, in pixels
    std::int64_t max_pixels = std::int64_t{8192} * 8192;
    int max_steps = 200;  ///< of a pass
    int max_count = 1000;
    double max_cost = 50'000.0;
    std::size_t max_prompt_bytes = 8192;  ///< of either prompt; at most shape.h's limit

    // All jobs that have not ended.
    std::size_t max_queued_tasks = 10'000;
    double max_queued_cost = 200'000.0;
    std::size_t max_queued_tasks_of_all = 100'000;  ///< of all tenants together
};

/// What of a tenant waits already.
struct TenantLoad {
    std::size_t queued_tasks = 0;
    double queued_cost = 0.0;
    std::size_t queued_tasks_of_all = 0;  ///< this tenant's and the others'
};

/// Whether the tenant may submit that. kInvalidArgument when the job itself asks for too much, even
/// of an empty queue; kExhausted when there is only no room for it now (HTTP 429). One sentence
/// that names the field, the value and the limit. Also the errors of plan_job.
[[nodiscard]] Status check_limits(
    const JobSpec& spec,
    const ResolvedJob& resolved,
    const TenantLoad& load,
    const TenantLimits& limits
);

}  // namespace tessera
