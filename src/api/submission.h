#pragma once

#include "api/catalog.h"
#include "base/entropy.h"
#include "job/limits.h"
#include "queue/task_queue.h"
#include "scheduler/dispatcher.h"

#include <functional>
#include <string>
#include <vector>

namespace tessera::api {

struct Submitted {
    JobId id;
    bool existed = false;  ///< the idempotency key was known
    JobSpec spec;          ///< complete: what will be made
    std::vector<std::string> remarks;
};

/// A refusal, with what the client needs to know beside the error.
struct Refusal {
    Error error;
    /// For kExhausted: when it makes sense to ask again.
    std::optional<Duration> retry_after;
};

/// Where every API hands in work: resolve, check limits and load, plan, enqueue. Thread-safe.
class SubmissionDesk {
  public:
    SubmissionDesk(
        const Catalog& catalog,
        TaskQueue& queue,
        const Dispatcher& dispatcher,
        TenantLimits limits,
        const Clock& clock,
        Entropy& entropy
    );

    /// The job's id is known before it is durable, so that its events can be listened for.
    [[nodiscard]] JobId new_job_id();

    /// `done` is called once, from this thread or the queue's, when the job is durable or refused.
    void submit(JobId id, JobSpec spec, std::function<void(tl::expected<Submitted, Refusal>)> done);

  private:
    const Catalog& catalog_;
    TaskQueue& queue_;
    const Dispatcher& dispatcher_;
    const TenantLimits limits_;
    const Clock& clock_;
    Entropy& entropy_;
};

}  // namespace tessera::api
