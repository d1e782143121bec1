#include "api/job_following.h"

#include "events/event_mailbox.h"
#include "http/handler_pool.h"
#include "telemetry/trace_context.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_set>
#include <utility>

namespace tessera::api {

struct JobFollowing::Core {
    Core(const ApiParts& given, int threads) : parts(given), pool(threads) {}

    void keep(const std::shared_ptr<Follower>& call) {
        const std::scoped_lock lock(mutex);
        calls.insert(call);
    }
    void forget(const std::shared_ptr<Follower>& call) {
        const std::scoped_lock lock(mutex);
        calls.erase(call);
    }

    const ApiParts parts;
    http::HandlerPool pool;
    std::mutex mutex;
    /// What is under way; nobody else keeps it alive, so that all of it goes with the server.
    std::unordered_set<std::shared_ptr<Follower>> calls;
};

class JobFollowing::Follower final : public Call, public std::enable_shared_from_this<Follower> {
  public:
    Follower(const std::shared_ptr<Core>& core, JobEars ears, const FollowOptions& options)
        : core_(core),
          parts_(core->parts),
          options_(options),
          ears_(std::move(ears)),
          mailbox_([this] { wake(); }) {}

    void begin(JobSpec spec) {
        const JobId id = parts_.desk.new_job_id();
        tenant_ = spec.tenant;
        listen_to(id);
        parts_.desk.submit(
            id,
            std::move(spec),
            [self = shared_from_this()](tl::expected<Submitted, Refusal> outcome) {
                {
                    const std::scoped_lock lock(self->mutex_);
                    self->outcome_ = std::move(outcome);
                }
                self->wake();
            }
        );
    }

    void leave() override {
        has_left_ = true;
        wake();
    }

  private:
    using Outcome = tl::expected<Submitted, Refusal>;

    void listen_to(const JobId& id) {
        subscription_ = parts_.events.subscribe(
            {tenant_, id, options_.previews},
            [weak = weak_from_this()](const EventPtr& event) {
                if (const auto self = weak.lock()) {
                    self->mailbox_.put(event);
                }
            }
        );
    }

    /// Has `run` run once more, on one thread at a time.
    void wake() {
        const auto core = core_.lock();
        if (core && wakes_.fetch_add(1) == 0) {
            core->pool.post([self = shared_from_this()] {
                int seen = self->wakes_.load();
                do {
                    self->run_safely();
                } while (!self->wakes_.compare_exchange_strong(seen, 0));
            });
        }
    }

    /// Whatever is thrown on the way (by ears as well), the client gets its answer.
    void run_safely() {
        try {
            run();
        } catch (...) {
            end_broken();
        }
    }

    void end_broken() {
        if (has_ended_) {
            return;
        }
        try {
            cancel_job();
            end(tl::unexpected(Refusal{{ErrorKind::kInternal, "the answer failed"}, {}}));
        } catch (...) {
            finish();  // what the ears held goes: an exchange answers 500
        }
    }

    void run() {
        if (has_ended_) {
            return;
        }
        if (!is_accepted_ && !meet_outcome()) {
            return;
        }
        if (has_left_) {
            drop_job();
            return;
        }
        mailbox_.drain([this](const EventPtr& event) {
            if (!has_ended_ && !has_left_) {
                meet(*event);
            }
            return true;
        });
        if (has_left_ && !has_ended_) {
            drop_job();
        }
    }

    /// False as long as nobody knows whether the job was accepted, and when it was not.
    bool meet_outcome() {
        std::optional<Outcome> outcome;
        {
            const std::scoped_lock lock(mutex_);
            outcome = std::exchange(outcome_, std::nullopt);
        }
        if (!outcome) {
            return false;
        }
        if (!*outcome) {
            end(tl::unexpected(std::move(*outcome).error()));
            return false;
        }
        is_accepted_ = true;
        submitted_ = **std::move(outcome);
        if (submitted_.existed) {
            listen_to(submitted_.id);
        }
        if (ears_.on_accepted) {
            ears_.on_accepted(submitted_);
        }
        if (submitted_.existed) {
            end_if_over();
        }
        return !has_ended_;
    }

    void meet(const FarmEvent& event) {
        if (ends_job(event.kind)) {
            end_with_view();
        } else if (event.kind == FarmEvent::Kind::kDeleted) {
            end(tl::unexpected(Refusal{{ErrorKind::kNotFound, "the job was deleted"}, {}}));
        } else if (event.kind == FarmEvent::Kind::kReset) {
            end_if_over();
        } else if (ears_.on_event) {
            ears_.on_event(event);
        }
    }

    void end_if_over() {
        const auto view = parts_.queue.job(submitted_.id);
        if (!view || is_final(view->state)) {
            end_with_view();
        }
    }

    void end_with_view() {
        auto view = parts_.queue.job(submitted_.id);
        if (!view) {
            end(tl::unexpected(Refusal{std::move(view).error(), {}}));
            return;
        }
        end(FollowedJob{submitted_, *std::move(view)});
    }

    void end(tl::expected<FollowedJob, Refusal> how) {
        const auto on_end = std::move(ears_.on_end);
        finish();
        if (on_end) {
            on_end(std::move(how));
        }
    }

    void drop_job() {
        const auto on_left = std::move(ears_.on_left);
        cancel_job();
        finish();
        if (on_left) {
            on_left();
        }
    }

    void cancel_job() {
        if (is_accepted_ && !options_.detached && !submitted_.existed) {
            parts_.queue.cancel(submitted_.id, [](const Status& /*ended already*/) {});
        }
    }

    void finish() {
        has_ended_ = true;
        subscription_ = {};
        ears_ = {};
        if (const auto core = core_.lock()) {
            core->forget(shared_from_this());
        }
    }

    const std::weak_ptr<Core> core_;
    const ApiParts parts_;
    const FollowOptions options_;
    std::atomic<bool> has_left_ = false;
    std::atomic<int> wakes_ = 0;

    std::mutex mutex_;  // guards outcome_
    std::optional<Outcome> outcome_;

    // Of `run`, and of `begin` before it.
    JobEars ears_;
    std::string tenant_;
    EventBus::Subscription subscription_;
    Submitted submitted_;
    bool is_accepted_ = false;
    bool has_ended_ = false;

    EventMailbox mailbox_;
};

JobFollowing::JobFollowing(const ApiParts& parts, int threads)
    : core_(std::make_shared<Core>(parts, threads)) {}

JobFollowing::~JobFollowing() {
    core_->pool.shut();
    std::unordered_set<std::shared_ptr<Follower>> calls;
    const std::scoped_lock lock(core_->mutex);
    calls.swap(core_->calls);
}

std::shared_ptr<JobFollowing::Call> JobFollowing::submit(
    JobSpec spec, JobEars ears, const FollowOptions& options
) {
    auto call = std::make_shared<Follower>(core_, std::move(ears), options);
    core_->keep(call);
    call->begin(std::move(spec));
    return call;
}

void JobFollowing::post(std::function<void()> task) {
    core_->pool.post(std::move(task));
}

std::vector<PublishedPicture> published_pictures(const JobView& view) {
    std::vector<PublishedPicture> pictures;
    for (const TaskView& task : view.tasks) {
        if (task.plan.publishes && task.state == TaskState::kDone && task.result) {
            pictures.push_back({task.plan.unit, &*task.result});
        }
    }
    std::ranges::sort(pictures, {}, &PublishedPicture::unit);
    return pictures;
}

Error why_ended(const JobView& view) {
    if (view.state == JobState::kCancelled) {
        return {ErrorKind::kCancelled, "the job was cancelled"};
    }
    for (const TaskView& task : view.tasks) {
        if (task.state == TaskState::kDead && task.failure) {
            return {ErrorKind::kInternal, "the picture failed: " + task.failure->message};
        }
    }
    return {ErrorKind::kInternal, "the job failed"};
}

bool is_detached(const http::Request& request) {
    return request.fields.get("X-Tessera-Detach") == "1" ||
           !request.fields.get("Idempotency-Key").empty();
}

void apply_request(const http::Request& request, const Caller& caller, JobSpec& spec) {
    spec.tenant = caller.tenant;
    spec.idempotency_key = request.fields.get("Idempotency-Key");
    if (const auto upstream = parse_traceparent(request.fields.get("traceparent"))) {
        spec.traceparent = to_traceparent(*upstream);
    }
}

}  // namespace tessera::api
