#include "storage/retention.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tessera {

std::vector<JobId> expired_jobs(
    std::vector<EndedJob> jobs, const RetentionPolicy& policy, WallTime now
) {
    std::sort(jobs.begin(), jobs.end(), [](const EndedJob& left, const EndedJob& right) {
        return std::tie(left.ended, left.id) < std::tie(right.ended, right.id);
    });
    std::uint64_t total = 0;
    for (const EndedJob& job : jobs) {
        total += job.bytes;
    }
    const std::size_t removable = jobs.size() - std::min(jobs.size(), policy.keep_at_least);
    std::vector<JobId> expired;
    for (std::size_t i = 0; i < removable; ++i) {
        const bool old = policy.max_age && now - jobs[i].ended > *policy.max_age;
        const bool too_much = policy.max_bytes && total > *policy.max_bytes;
        if (!old && !too_much) {
            break;  // the rest is younger, and fits
        }
        total -= jobs[i].bytes;
        expired.push_back(std::move(jobs[i].id));
    }
    return expired;
}

}  // namespace tessera
