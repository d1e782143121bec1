// What can be seen of the live jobs.
#include "queue/task_book.h"

#include <algorithm>
#include <iterator>

namespace tessera {
namespace {

bool fits(const LiveJob& job, const JobFilter& filter) {
    const JobSpec& spec = job.plan->spec;
    return !job.is_new && (filter.tenant.empty() || filter.tenant == spec.tenant) &&
           (filter.client_tag.empty() || filter.client_tag == spec.client_tag);
}

}  // namespace

bool TaskBook::is_ending(const JobId& id) const {
    const auto found = jobs_.find(id);
    return found != jobs_.end() && found->second.ended.has_value();
}

std::optional<JobView> TaskBook::view(const JobId& id) const {
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || found->second.is_new) {
        return std::nullopt;
    }
    return committed_view(found->second);
}

/// Without what the open transaction changes: that may yet be undone.
JobView TaskBook::committed_view(const LiveJob& job) const {
    const auto is_its = [&](const Undo& entry) { return entry.ref.first == job.number; };
    if (std::ranges::none_of(undo_, is_its)) {
        return view_of(job);
    }
    LiveJob before = job;
    for (auto entry = undo_.rbegin(); entry != undo_.rend(); ++entry) {
        if (is_its(*entry) && entry->kind == Undo::Kind::kTask) {
            before.task(entry->ref.second) = entry->task;
        } else if (is_its(*entry) && entry->kind == Undo::Kind::kJobEnded) {
            before.ended.reset();
            before.state = before.started ? JobState::kRunning : JobState::kQueued;
        }
    }
    return view_of(before);
}

std::vector<JobView> TaskBook::views(const JobFilter& filter) const {
    std::vector<JobView> views;
    auto next = std::make_reverse_iterator(
        filter.before.value.empty() ? jobs_.end() : jobs_.lower_bound(filter.before)
    );
    for (; next != jobs_.rend() && static_cast<int>(views.size()) < filter.limit; ++next) {
        if (!fits(next->second, filter)) {
            continue;
        }
        JobView view = committed_view(next->second);
        if (!filter.state || *filter.state == view.state) {
            views.push_back(std::move(view));
        }
    }
    return views;
}

QueueCounts TaskBook::counts(const std::string& tenant) const {
    if (tenant.empty()) {
        return total_;
    }
    const auto found = by_tenant_.find(tenant);
    return found == by_tenant_.end() ? QueueCounts() : found->second;
}

std::vector<QueueEvent> TaskBook::ready_events() const {
    std::vector<QueueEvent> events;
    for (const auto& [id, job] : jobs_) {
        for (int index = 0; !job.is_new && index < job.size(); ++index) {
            const LiveTask& task = job.task(index);
            if (task.record.state == TaskState::kReady && !task.is_settling) {
                events.push_back(ready_event(job, index));
            }
        }
    }
    return events;
}

ReadyTask TaskBook::ready_task(const LiveJob& job, int index) const {
    const JobSpec& spec = job.plan->spec;
    const TaskPlan& plan = job.task_plan(index);
    ReadyTask ready;
    ready.id = {job.id, index};
    ready.kind = plan.kind;
    ready.tenant = spec.tenant;
    ready.affinity = job.plan->affinity;
    ready.priority = spec.priority;
    ready.cost = plan.cost;
    ready.submitted = job.submitted;
    ready.deadline = spec.deadline;
    ready.failed_on = job.task(index).record.failed_on;
    return ready;
}

QueueEvent TaskBook::event(QueueEvent::Kind kind, const LiveJob& job, int index) const {
    QueueEvent event;
    event.kind = kind;
    event.job = job.id;
    event.tenant = job.plan->spec.tenant;
    event.job_state = job.state;
    event.task = {job.id, index};
    if (index == kWholeJob) {
        event.task = {};
        return event;
    }
    const LiveTask& task = job.task(index);
    event.unit = job.task_plan(index).unit;
    event.publishes = job.task_plan(index).publishes;
    event.worker = task.record.worker;
    event.epoch = task.record.epoch;
    if (task.progress) {
        event.progress = *task.progress;
    }
    return event;
}

QueueEvent TaskBook::ready_event(const LiveJob& job, int index) const {
    auto ready = event(QueueEvent::Kind::kTaskReady, job, index);
    ready.ready = ready_task(job, index);
    return ready;
}

void TaskBook::announce_ready(const LiveJob& job, int index) {
    events_.push_back(ready_event(job, index));
}

void TaskBook::announce_queued(const LiveJob& job, bool is_retry) {
    auto queued = event(QueueEvent::Kind::kJobQueued, job, kWholeJob);
    queued.plan = job.plan;
    queued.is_retry = is_retry;
    events_.push_back(std::move(queued));
}

void TaskBook::collect_objects(std::set<std::string>& hashes) const {
    const auto add = [&](const std::string& hash) {
        if (!hash.empty()) {
            hashes.insert(hash);
        }
    };
    for (const auto& [id, job] : jobs_) {
        add(job.plan->spec.init);
        add(job.plan->spec.mask);
        for (const LiveTask& task : job.tasks) {
            add(task.object);
            if (task.record.checkpoint) {
                add(task.record.checkpoint->object.sha256);
            }
        }
    }
}

}  // namespace tessera
