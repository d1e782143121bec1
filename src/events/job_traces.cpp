#include "events/job_traces.h"

#include "base/ulid_time.h"
#include "events/labels.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tessera {
namespace {

/// A job's id is made when its submission begins; should it look older, the clock was set.
constexpr Duration kLongestSubmission = std::chrono::minutes(10);
/// Of one job, however often it is retried.
constexpr std::size_t kMostLives = 8;

void describe(JobHistory& history, const JobPlan& plan) {
    const JobSpec& spec = plan.spec;
    history.context = job_context(history.job, spec.traceparent);
    if (const auto caller = parse_traceparent(spec.traceparent)) {
        history.caller = caller->span;
    }
    history.tenant = spec.tenant;
    history.model = model_label(plan.affinity);
    history.kind = spec.kind;
    history.priority = spec.priority;
    history.pictures = static_cast<std::size_t>(
        std::ranges::count_if(plan.tasks, [](const TaskPlan& task) { return task.publishes; })
    );
}

/// Tasks that run or pause, of which nobody tells before that ends. The number of marks.
std::size_t add_found(JobHistory& history, const std::vector<TaskView>& tasks) {
    for (const TaskView& task : tasks) {
        const bool runs = task.state == TaskState::kRunning;
        if (!runs && task.state != TaskState::kDelayed) {
            continue;
        }
        TaskMark mark;
        mark.kind = runs ? TaskMark::Kind::kClaimed : TaskMark::Kind::kReady;
        mark.task_kind = task.plan.kind;
        mark.task = task.id.index;
        mark.unit = task.plan.unit;
        mark.at = history.heard;
        mark.worker = task.worker;
        history.marks.push_back(std::move(mark));
    }
    return history.marks.size();
}

}  // namespace

JobTraces::JobTraces(
    const Clock& clock, const std::vector<JobView>& unfinished, const Limits& limits, OnEnd on_end
)
    : clock_(clock), limits_(limits), on_end_(std::move(on_end)) {
    const Instant now = clock.now();
    const WallTime wall = clock.wall();
    for (const JobView& view : unfinished) {
        auto life = std::make_unique<LiveLife>();
        life->history.job = view.id;
        life->history.beginning = JobHistory::Beginning::kFound;
        life->history.began = std::min(view.submitted, wall);
        life->history.heard = wall - life->history.began;
        life->origin = now - life->history.heard;
        describe(life->history, *view.plan);
        marks_ += add_found(life->history, view.tasks);
        jobs_[view.id].live = std::move(life);
    }
}

void JobTraces::hear(const QueueEvent& event) {
    HistoryPtr ended;
    {
        const std::lock_guard lock(mutex_);
        if (event.kind == QueueEvent::Kind::kJobQueued) {
            begin(event);
            return;
        }
        const auto job = jobs_.find(event.job);
        if (job == jobs_.end()) {
            return;
        }
        if (event.kind == QueueEvent::Kind::kJobDeleted) {
            forget(job);
            return;
        }
        if (!job->second.live) {
            return;
        }
        LiveLife& life = *job->second.live;
        switch (event.kind) {
            case QueueEvent::Kind::kTaskReady:
                add_mark(life, event, TaskMark::Kind::kReady);
                break;
            case QueueEvent::Kind::kTaskClaimed:
                add_mark(life, event, TaskMark::Kind::kClaimed);
                break;
            case QueueEvent::Kind::kTaskReturned:
                add_mark(life, event, TaskMark::Kind::kReturned);
                break;
            case QueueEvent::Kind::kTaskDone:
                add_mark(life, event, TaskMark::Kind::kDone);
                break;
            case QueueEvent::Kind::kTaskDead:
                add_mark(life, event, TaskMark::Kind::kDead);
                break;
            case QueueEvent::Kind::kTaskCancelled:
                add_mark(life, event, TaskMark::Kind::kCancelled);
                break;
            case QueueEvent::Kind::kTaskProgress:
                life.progress[event.task.index] = event.progress;
                break;
            case QueueEvent::Kind::kJobEnded:
                ended = end(event);
                break;
            case QueueEvent::Kind::kJobQueued:
            case QueueEvent::Kind::kJobRunning:
            case QueueEvent::Kind::kJobDeleted:
                break;
        }
    }
    if (ended && on_end_) {
        on_end_(std::move(ended));
    }
}

void JobTraces::begin(const QueueEvent& event) {
    Job& job = jobs_[event.job];
    if (job.place) {
        ended_.erase(*job.place);
        job.place.reset();
    }
    auto life = std::make_unique<LiveLife>();
    JobHistory& history = life->history;
    history.job = event.job;
    describe(history, *event.plan);
    const WallTime wall = clock_.wall();
    if (event.is_retry) {
        // Its first life may be forgotten here, but not at a collector: another name.
        const auto moment = static_cast<std::uint64_t>(wall.time_since_epoch().count());
        history.context.span = child_of(history.context.span, moment);
        history.beginning = JobHistory::Beginning::kRetried;
    } else {
        const Duration since = wall - ulid_time(event.job.value).value_or(wall);
        history.heard =
            since >= Duration::zero() && since <= kLongestSubmission ? since : Duration::zero();
    }
    history.began = wall - std::chrono::duration_cast<WallTime::duration>(history.heard);
    life->origin = clock_.now() - history.heard;
    job.live = std::move(life);
}

void JobTraces::add_mark(LiveLife& life, const QueueEvent& event, TaskMark::Kind kind) {
    JobHistory& history = life.history;
    TaskMark mark;
    mark.kind = kind;
    mark.task = event.task.index;
    mark.unit = event.unit;
    mark.at = std::max(clock_.now() - life.origin, Duration::zero());
    mark.worker = event.worker;
    mark.epoch = event.epoch;
    if (event.ready) {
        mark.task_kind = event.ready->kind;
    }
    const bool has_times = event.result && !event.result->times.empty();
    const auto progress = life.progress.extract(event.task.index);
    if (has_times || event.failure) {
        auto ending = std::make_shared<TaskMark::Ending>();
        if (event.failure) {
            ending->reason = event.failure->message;
            ending->fault = event.failure->fault;
        }
        ending->lease_ran_out = event.lease_ran_out;
        if (has_times) {
            ending->times = event.result->times;
        }
        if (!progress.empty()) {
            ending->progress = progress.mapped();
        }
        mark.ending = std::move(ending);
    }
    const bool has_room = history.left_out == 0 && history.marks.size() < limits_.marks_of_job &&
                          (marks_ < limits_.marks || make_room());
    if (!has_room) {
        ++history.left_out;
        return;
    }
    history.marks.push_back(std::move(mark));
    ++marks_;
}

bool JobTraces::make_room() {
    while (marks_ >= limits_.marks && !ended_.empty()) {
        forget(jobs_.find(ended_.front()));
    }
    return marks_ < limits_.marks;
}

JobTraces::HistoryPtr JobTraces::end(const QueueEvent& event) {
    Job& job = jobs_[event.job];
    JobHistory& history = job.live->history;
    history.ended = std::max(clock_.now() - job.live->origin, Duration::zero());
    history.state = event.job_state;
    history.marks.shrink_to_fit();
    auto ended = std::make_shared<const JobHistory>(std::move(history));
    job.live.reset();
    job.ended_lives.push_back(ended);
    if (job.ended_lives.size() > kMostLives) {
        marks_ -= job.ended_lives.front()->marks.size();
        job.ended_lives.pop_front();
    }
    job.place = ended_.insert(ended_.end(), event.job);
    if (ended_.size() > limits_.ended_jobs) {
        forget(jobs_.find(ended_.front()));
    }
    return ended;
}

void JobTraces::forget(std::unordered_map<JobId, Job>::iterator job) {
    for (const HistoryPtr& life : job->second.ended_lives) {
        marks_ -= life->marks.size();
    }
    if (job->second.live) {
        marks_ -= job->second.live->history.marks.size();
    }
    if (job->second.place) {
        ended_.erase(*job->second.place);
    }
    jobs_.erase(job);
}

std::optional<JobTrace> JobTraces::trace(const JobId& id) const {
    std::vector<HistoryPtr> lives;
    Instant now;
    Instant origin;
    {
        const std::lock_guard lock(mutex_);
        const auto found = jobs_.find(id);
        if (found == jobs_.end()) {
            return std::nullopt;
        }
        const Job& job = found->second;
        lives.assign(job.ended_lives.begin(), job.ended_lives.end());
        if (job.live) {
            lives.push_back(std::make_shared<const JobHistory>(job.live->history));
            origin = job.live->origin;
        }
        now = clock_.now();
    }
    JobTrace trace;
    trace.began = lives.front()->began;
    for (const HistoryPtr& life : lives) {
        trace.trace.id = life->context.trace;
        trace.trace.sampled = life->context.sampled;
        trace.left_out += life->left_out;
        trace.has_ended = life->ended.has_value();
        auto spans = spans_of(*life);
        trace.until = spans.front().end.value_or(life->began + (now - origin));
        std::ranges::move(spans, std::back_inserter(trace.trace.spans));
    }
    return trace;
}

}  // namespace tessera
