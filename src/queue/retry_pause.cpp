#include "queue/retry_pause.h"

#include <algorithm>

namespace tessera {
namespace {

/// first · 2^doublings, at most `longest`.
Duration bound(Duration first, int doublings, Duration longest) {
    constexpr int kMostDoublings = 40;
    const auto factor = std::int64_t{1} << std::clamp(doublings, 0, kMostDoublings);
    return first > longest / factor ? longest : first * factor;
}

Duration jittered(Duration bound, Entropy& entropy) {
    return Duration(static_cast<Duration::rep>(static_cast<double>(bound.count()) * entropy.unit())
    );
}

}  // namespace

Duration pause_after_failure(const RetryPolicy& policy, int failures, Entropy& entropy) {
    return jittered(bound(policy.first_pause, failures - 1, policy.longest_pause), entropy);
}

Duration pause_after_loss(const RetryPolicy& policy, int losses, Entropy& entropy) {
    if (losses <= 1) {
        return Duration::zero();
    }
    const Duration longest = std::min(policy.longest_pause, policy.longest_loss_pause);
    return jittered(bound(policy.first_pause, losses - 2, longest), entropy);
}

}  // namespace tessera
