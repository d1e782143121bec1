#include "events/queue_events.h"

#include "events/progress_tally.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace tessera {
namespace {

std::vector<TaskStanding> standings_of(const JobView& job) {
    std::vector<TaskStanding> standings;
    standings.reserve(job.tasks.size());
    for (const TaskView& task : job.tasks) {
        standings.push_back({task.state, task.progress, task.started, task.ended});
    }
    return standings;
}

std::string reason_of(const QueueEvent& event) {
    return event.failure ? event.failure->message : std::string();
}

TaskState state_after(QueueEvent::Kind kind) {
    switch (kind) {
        case QueueEvent::Kind::kTaskClaimed:
        case QueueEvent::Kind::kTaskProgress:
            return TaskState::kRunning;
        case QueueEvent::Kind::kTaskDone:
            return TaskState::kDone;
        case QueueEvent::Kind::kTaskDead:
            return TaskState::kDead;
        case QueueEvent::Kind::kTaskCancelled:
            return TaskState::kCancelled;
        default:
            return TaskState::kReady;
    }
}

}  // namespace

struct QueueEvents::LiveJob {
    std::string tenant;
    std::uint64_t number = 0;  ///< in the order in which they were heard of
    bool waits = false;
    std::optional<QueuePlace> told;
    std::optional<ProgressTally> tally;
    /// Whose end was told: previews that come late would hide the picture.
    std::set<int> ended_units;
    std::string last_failure;
};

QueueEvents::QueueEvents(EventBus& bus, const Clock& clock, Jobs jobs, Places places)
    : bus_(bus), clock_(clock), jobs_(std::move(jobs)), places_(std::move(places)) {}
QueueEvents::~QueueEvents() = default;

FarmEvent QueueEvents::event_of(FarmEvent::Kind kind, const QueueEvent& event) const {
    FarmEvent told;
    told.time = clock_.wall();
    told.kind = kind;
    told.job = event.job;
    told.tenant = event.tenant;
    told.unit = event.unit;
    told.worker = event.worker;
    told.progress = event.progress;
    return told;
}

std::shared_ptr<QueueEvents::LiveJob> QueueEvents::live_job(const QueueEvent& event) {
    {
        const std::lock_guard lock(mutex_);
        if (const auto known = live_.find(event.job); known != live_.end()) {
            return known->second;
        }
    }
    // Never under the lock: who answers may hold locks of its own while it calls us.
    const auto view = jobs_ ? jobs_(event.job) : std::nullopt;
    auto live = std::make_shared<LiveJob>();
    live->tenant = event.tenant;
    if (view && view->plan) {
        live->tally.emplace(view->plan, standings_of(*view));
    }
    if (is_final(event.job_state)) {
        return live;  // the last word on a job that has ended: nothing to remember it for
    }
    const std::lock_guard lock(mutex_);
    live->number = ++heard_;
    return live_.try_emplace(event.job, std::move(live)).first->second;
}

void QueueEvents::hear(const QueueEvent& event) {
    switch (event.kind) {
        case QueueEvent::Kind::kTaskReady:
            return;
        case QueueEvent::Kind::kJobQueued: {
            const auto live = live_job(event);
            const auto place = places_ ? places_(event.job) : std::nullopt;
            const std::lock_guard lock(mutex_);
            live->waits = true;
            live->told = place;
            publish_queued(event.job, event.tenant, place ? &*place : nullptr);
            return;
        }
        case QueueEvent::Kind::kJobRunning: {
            const auto live = live_job(event);
            const std::lock_guard lock(mutex_);
            live->waits = false;
            bus_.publish(event_of(FarmEvent::Kind::kStarted, event));
            return;
        }
        case QueueEvent::Kind::kJobEnded:
            hear_of_end(event);
            return;
        case QueueEvent::Kind::kJobDeleted: {
            const std::lock_guard lock(mutex_);
            live_.erase(event.job);
            bus_.publish(event_of(FarmEvent::Kind::kDeleted, event));
            return;
        }
        case QueueEvent::Kind::kTaskCancelled:
            if (!is_final(event.job_state)) {
                hear_of_task(event);
            }
            return;
        case QueueEvent::Kind::kTaskClaimed:
        case QueueEvent::Kind::kTaskProgress:
        case QueueEvent::Kind::kTaskReturned:
        case QueueEvent::Kind::kTaskDone:
        case QueueEvent::Kind::kTaskDead:
            hear_of_task(event);
            return;
    }
}

void QueueEvents::hear_of_task(const QueueEvent& event) {
    const auto live = live_job(event);
    const std::lock_guard lock(mutex_);
    FarmEvent told = event_of(FarmEvent::Kind::kProgress, event);
    if (live->tally) {
        live->tally->set(event.task.index, {state_after(event.kind), event.progress, {}, {}});
        told.unit_fraction = live->tally->unit_fraction(event.unit);
        told.job_fraction = live->tally->job_fraction();
    }
    switch (event.kind) {
        case QueueEvent::Kind::kTaskClaimed:
            live->ended_units.erase(event.unit);  // somebody retries it
            break;
        case QueueEvent::Kind::kTaskReturned:
            told.kind = FarmEvent::Kind::kRetrying;
            told.message = reason_of(event);
            break;
        case QueueEvent::Kind::kTaskDone:
            if (event.publishes) {
                told.kind = FarmEvent::Kind::kUnitDone;
                told.result = event.result;
                live->ended_units.insert(event.unit);
            }
            break;
        case QueueEvent::Kind::kTaskDead:
            told.kind = FarmEvent::Kind::kUnitFailed;
            told.message = reason_of(event);
            if (!told.message.empty()) {
                live->last_failure = told.message;
            }
            if (!live->ended_units.insert(event.unit).second) {
                return;
            }
            break;
        case QueueEvent::Kind::kTaskCancelled:
            return;  // the job's end tells of it
        default:
            break;
    }
    bus_.publish(std::move(told));
}

void QueueEvents::hear_of_end(const QueueEvent& event) {
    const std::lock_guard lock(mutex_);
    const auto live = live_.find(event.job);
    FarmEvent told = event_of(
        event.job_state == JobState::kDone        ? FarmEvent::Kind::kDone
        : event.job_state == JobState::kCancelled ? FarmEvent::Kind::kCancelled
                                                  : FarmEvent::Kind::kFailed,
        event
    );
    if (live != live_.end()) {
        if (live->second->tally) {
            told.job_fraction = live->second->tally->job_fraction();
        }
        if (told.kind == FarmEvent::Kind::kFailed) {
            told.message = live->second->last_failure;
        }
        live_.erase(live);
    }
    bus_.publish(std::move(told));
}

void QueueEvents::preview(
    const Claim& claim, const TaskProgress& progress, const std::string& jpeg
) {
    const std::lock_guard lock(mutex_);
    const auto live = live_.find(claim.task.job);
    if (live == live_.end() || live->second->ended_units.contains(claim.plan.unit)) {
        return;
    }
    FarmEvent told;
    told.time = clock_.wall();
    told.kind = FarmEvent::Kind::kPreview;
    told.job = claim.task.job;
    told.tenant = live->second->tenant;
    told.unit = claim.plan.unit;
    told.progress = progress;
    told.jpeg = jpeg;
    if (live->second->tally) {
        told.unit_fraction = live->second->tally->unit_fraction(told.unit);
        told.job_fraction = live->second->tally->job_fraction();
    }
    bus_.publish(std::move(told));
}

void QueueEvents::publish_queued(
    const JobId& job, const std::string& tenant, const QueuePlace* place
) {
    FarmEvent told;
    told.time = clock_.wall();
    told.kind = FarmEvent::Kind::kQueued;
    told.job = job;
    told.tenant = tenant;
    if (place != nullptr) {
        told.position = place->position;
        told.seconds_to_start = place->seconds_to_start;
        told.seconds_to_finish = place->seconds_to_finish;
    }
    bus_.publish(std::move(told));
}

void QueueEvents::tell_places(std::size_t most) {
    if (!places_) {
        return;
    }
    std::vector<std::pair<std::uint64_t, JobId>> waiting;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [job, live] : live_) {
            if (live->waits) {
                waiting.emplace_back(live->number, job);
            }
        }
    }
    std::ranges::sort(waiting);
    waiting.resize(std::min(waiting.size(), most));
    for (const auto& entry : waiting) {
        const JobId& job = entry.second;
        const auto place = places_(job);
        const std::lock_guard lock(mutex_);
        const auto live = live_.find(job);
        if (place && live != live_.end() && live->second->waits && live->second->told != place) {
            live->second->told = place;
            publish_queued(job, live->second->tenant, &*place);
        }
    }
}

}  // namespace tessera
