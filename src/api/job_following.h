#pragma once

#include "api/api.h"
#include "api/submission.h"
#include "events/farm_event.h"
#include "queue/task_queue.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tessera::api {

/// A job that somebody waited for, now that it has ended.
struct FollowedJob {
    Submitted submitted;
    JobView view;
};

/// What hears of a job. Called on threads of JobFollowing, one call at a time, in order; may read
/// the store and encode, and should wait for nothing else.
struct JobEars {
    /// Once it is durable; may be empty.
    std::function<void(const Submitted&)> on_accepted;
    /// What happens between; may be empty. Slow ears miss superseded states (see EventMailbox).
    std::function<void(const FarmEvent&)> on_event;
    /// Once and last: ended in any state, or refused.
    std::function<void(tl::expected<FollowedJob, Refusal>)> on_end;
    /// Instead of on_end, when the client has gone after on_accepted; may be empty.
    std::function<void()> on_left;
};

struct FollowOptions {
    bool previews = false;  ///< those are heard too
    /// The job goes on when its client leaves.
    bool detached = false;
};

/// Lets synchronous calls wait for their jobs without a thread each: by events, and on a few
/// threads of its own. Thread-safe. Destroying it forgets the calls and cancels nothing.
class JobFollowing {
  public:
    /// Parts outlive it.
    JobFollowing(const ApiParts& parts, int threads);
    ~JobFollowing();
    JobFollowing(const JobFollowing&) = delete;
    JobFollowing& operator=(const JobFollowing&) = delete;

    /// A call that waits for one job. Thread-safe.
    class Call {
      public:
        virtual ~Call() = default;
        /// The client has gone: nothing is called any more, and the job is cancelled unless it is
        /// detached or was there before (another call's, by idempotency key).
        virtual void leave() = 0;
    };

    /// Submits, on this thread as far as SubmissionDesk does, and follows.
    std::shared_ptr<Call> submit(JobSpec spec, JobEars ears, const FollowOptions& options);
    /// Runs something on its threads.
    void post(std::function<void()> task);

  private:
    struct Core;
    class Follower;
    std::shared_ptr<Core> core_;
};

/// The published pictures that are there, by number. `result` points into the view.
struct PublishedPicture {
    int unit = 0;
    const TaskResult* result = nullptr;
};
[[nodiscard]] std::vector<PublishedPicture> published_pictures(const JobView& view);

/// Why a job that is not done ended, in a sentence: of what kind its error is for the client.
[[nodiscard]] Error why_ended(const JobView& view);

/// Whether the request says that its job shall go on without it: X-Tessera-Detach: 1, or an
/// Idempotency-Key, by which it means to come back.
[[nodiscard]] bool is_detached(const http::Request& request);

/// Idempotency-Key, tenant and trace context of a request.
void apply_request(const http::Request& request, const Caller& caller, JobSpec& spec);

}  // namespace tessera::api
