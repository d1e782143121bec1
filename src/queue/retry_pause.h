#pragma once

#include "base/clock.h"
#include "base/entropy.h"
#include "queue/task_queue.h"

namespace tessera {

/// How long a task rests after its `failures`-th own failure (from 1): anything from nothing to a
/// bound that doubles from policy.first_pause to policy.longest_pause, all equally likely, so that
/// tasks which failed together do not come back together.
[[nodiscard]] Duration pause_after_failure(
    const RetryPolicy& policy, int failures, Entropy& entropy
);

/// The same after the `losses`-th loss by the infrastructure: none after the first, and never more
/// than policy.longest_loss_pause.
[[nodiscard]] Duration pause_after_loss(const RetryPolicy& policy, int losses, Entropy& entropy);

}  // namespace tessera
