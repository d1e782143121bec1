#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "job/task.h"

#include <deque>
#include <vector>

namespace tessera {

/// A claim whose holder was lost without saying how it ended.
struct LostClaim {
    TaskId task;
    Epoch epoch;
    TaskKind kind = TaskKind::kRender;
};

/// What workers held when they were lost, until it is known why: a successor that comes late may
/// still say that such a worker crashed. Of the last 256 workers, for five minutes. One thread at a
/// time.
class LostClaims {
  public:
    void keep(const WorkerId& worker, std::vector<LostClaim> claims, Instant now);
    /// Those of one worker, which are forgotten by that; empty when nothing is known (any more).
    [[nodiscard]] std::vector<LostClaim> take(const WorkerId& worker, Instant now);

  private:
    struct Lost {
        WorkerId worker;
        Instant when;
        std::vector<LostClaim> claims;
    };

    void forget_old(Instant now);

    std::deque<Lost> lost_;  // the oldest first
};

}  // namespace tessera
