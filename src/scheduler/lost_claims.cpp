#include "scheduler/lost_claims.h"

#include <algorithm>
#include <utility>

namespace tessera {
namespace {

constexpr std::size_t kMostWorkers = 256;
constexpr Duration kKept = std::chrono::minutes(5);

}  // namespace

void LostClaims::forget_old(Instant now) {
    while (!lost_.empty() && (lost_.size() > kMostWorkers || now > lost_.front().when + kKept)) {
        lost_.pop_front();
    }
}

void LostClaims::keep(const WorkerId& worker, std::vector<LostClaim> claims, Instant now) {
    if (!claims.empty()) {
        lost_.push_back({worker, now, std::move(claims)});
    }
    forget_old(now);
}

std::vector<LostClaim> LostClaims::take(const WorkerId& worker, Instant now) {
    forget_old(now);
    const auto found = std::find_if(lost_.begin(), lost_.end(), [&](const Lost& one) {
        return one.worker == worker;
    });
    if (found == lost_.end()) {
        return {};
    }
    std::vector<LostClaim> claims = std::move(found->claims);
    lost_.erase(found);
    return claims;
}

}  // namespace tessera
