#include "scheduler/scheduler_state.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

namespace tessera {

std::string_view to_string(WaitReason reason) {
    switch (reason) {
        case WaitReason::kTurn:
            return "a worker is free, and others are before it or a model's turn is not over";
        case WaitReason::kAllBusy:
            return "every worker that could do it is busy";
        case WaitReason::kModelSoon:
            return "a worker that has its model will probably be free before another has loaded it";
        case WaitReason::kNoWorker:
            return "there is no worker";
        case WaitReason::kNoModel:
            return "no worker has its model";
        case WaitReason::kDraining:
            return "the workers that have its model are about to leave";
        case WaitReason::kKeptOff:
            return "the workers that are free have failed too often at such tasks";
        case WaitReason::kFailedThere:
            return "the workers that are free are those on which it failed";
    }
    return "unknown";
}

double Scheduler::State::usual_seconds(PoolIndex pool, double cost) const {
    return cost * registry.at(pool).costs.seconds_per_cost();
}

double Scheduler::State::running_seconds(Instant now) const {
    const double ends =
        expected_ends - static_cast<double>(running) * seconds_of(now.time_since_epoch());
    return std::max(0.0, ends);
}

WaitReason Scheduler::State::wait_reason(const Task& task, Instant now) const {
    if (registry.count() == 0) {
        return WaitReason::kNoWorker;
    }
    const WorkerRegistry::Pool& pool = registry.at(task.pool);
    if (pool.members.size() == pool.vacant.size()) {
        return WaitReason::kNoModel;
    }
    if (pool.usable == 0) {
        return WaitReason::kDraining;
    }
    std::vector<std::uint32_t> free;
    gather(pool, task.failed_on, false, 1, free);
    if (!free.empty()) {
        return patient_until(pool, task.failed_on) > now ? WaitReason::kModelSoon
                                                         : WaitReason::kTurn;
    }
    if (!pool.hot.empty() || !pool.open.empty()) {
        return WaitReason::kFailedThere;
    }
    if (pool.usable_not_kept_off > 0 && pool.usable_not_kept_off < pool.usable) {
        for (const WorkerRegistry::Member& member : pool.members) {
            if (member.worker && member.usable && member.kept_off &&
                registry.worker(*member.worker).credit > 0) {
                return WaitReason::kKeptOff;
            }
        }
    }
    return WaitReason::kAllBusy;
}

Outlook Scheduler::State::outlook(const Task& task, Instant now) const {
    Outlook outlook;
    if (task.stage != Task::Stage::kReady) {
        outlook.running = true;
        outlook.start = task.stage == Task::Stage::kRunning ? task.started : now;
        outlook.finish = std::max(task.expected_end, now);
        return outlook;
    }
    const auto seconds_in_line = [this](const ReadyIndex::Tenant& tenant) {
        double seconds = 0.0;
        for (const auto& [class_index, lane] : tenant.lanes) {
            seconds += usual_seconds(index.at(class_index).pool, lane.cost);
        }
        return seconds;
    };
    // Its own tenant's tasks before it; and of each other tenant as many seconds as those, or what
    // it has, since tenants share alike.
    const ReadyIndex::Tenant& mine = index.tenants()[task.entry.tenant];
    const std::size_t before = index.before(task.entry);
    const double own_seconds = usual_seconds(task.pool, task.entry.cost);
    const double own_before =
        seconds_in_line(mine) * static_cast<double>(before) / static_cast<double>(mine.tasks);
    double seconds = own_before;
    double position = static_cast<double>(before);
    for (const ReadyIndex::Tenant& other : index.tenants()) {
        if (&other == &mine || other.tasks == 0) {
            continue;
        }
        const bool first =
            std::pair(other.round, other.sequence) < std::pair(mine.round, mine.sequence);
        const double whole = seconds_in_line(other);
        const double part = std::min(whole, own_before + (first ? own_seconds : 0.0));
        seconds += part;
        position += whole > 0.0 ? static_cast<double>(other.tasks) * part / whole : 0.0;
    }
    outlook.position = static_cast<std::size_t>(position);
    outlook.reason = wait_reason(task, now);

    const WorkerRegistry::Pool& pool = registry.at(task.pool);
    outlook.start = now;
    if (outlook.position > 0 || outlook.reason != WaitReason::kTurn) {
        const int slots = pool.usable_slots > 0 ? pool.usable_slots : registry.usable_slots();
        const double until_free = running_seconds(now) / std::max(registry.usable_slots(), 1);
        outlook.start += span_of(until_free + seconds / std::max(slots, 1));
    }
    const double swap = pool.warm > 0 ? 0.0 : pool.costs.swap_seconds();
    outlook.finish = outlook.start + span_of(own_seconds + swap);
    return outlook;
}

std::optional<Outlook> Scheduler::outlook(const TaskId& task, Instant now) const {
    const auto at = state_->find(task);
    return at ? std::optional(state_->outlook(state_->tasks[*at], now)) : std::nullopt;
}

std::optional<Outlook> Scheduler::outlook(const JobId& id, Instant now) const {
    const auto job = state_->jobs.find(id);
    if (job == state_->jobs.end()) {
        return std::nullopt;
    }
    const State::Task* first = nullptr;
    const State::Task* last = nullptr;
    std::optional<Outlook> whole;
    const auto order = [](const State::Task& task) {
        return std::pair(task.entry.since, task.entry.sequence);
    };
    for (const auto& [number, at] : job->second) {
        const State::Task& task = state_->tasks[at];
        if (task.stage != State::Task::Stage::kReady) {
            const Outlook its = state_->outlook(task, now);
            if (!whole) {
                whole = its;
            }
            whole->start = std::min(whole->start, its.start);
            whole->finish = std::max(whole->finish, its.finish);
            continue;
        }
        first = first == nullptr || order(task) < order(*first) ? &task : first;
        last = last == nullptr || order(*last) < order(task) ? &task : last;
    }
    if (first != nullptr && !whole) {
        whole = state_->outlook(*first, now);
    }
    if (last != nullptr) {
        whole->finish = std::max(whole->finish, state_->outlook(*last, now).finish);
    }
    return whole;
}

double Scheduler::backlog_seconds(Instant now) const {
    double seconds = state_->running_seconds(now);
    for (const ClassIndex index : state_->index.busy_classes()) {
        const ReadyIndex::Class& in_class = state_->index.at(index);
        seconds += state_->usual_seconds(in_class.pool, in_class.cost);
    }
    return seconds / std::max(state_->registry.usable_slots(), 1);
}

std::vector<WaitingLine> Scheduler::waiting(Instant now) const {
    std::map<std::pair<std::uint8_t, std::string_view>, WaitingLine> lines;
    for (const State::Task& task : state_->tasks) {
        if (task.stage != State::Task::Stage::kReady) {
            continue;
        }
        WaitingLine& line = lines[{task.entry.priority, task.tenant}];
        line.priority = static_cast<Priority>(task.entry.priority);
        line.tenant = task.tenant;
        ++line.tasks;
        line.cost += task.entry.cost;
        line.oldest = std::max(line.oldest, now - task.entry.since);
    }
    std::vector<WaitingLine> all;
    all.reserve(lines.size());
    for (auto& [key, line] : lines) {
        all.push_back(std::move(line));
    }
    std::ranges::stable_sort(all, std::greater<>(), &WaitingLine::tasks);
    return all;
}

Duration Scheduler::retry_after(Instant now) const {
    constexpr Duration kLeast = std::chrono::seconds(1);
    constexpr Duration kMost = std::chrono::minutes(10);
    const double tenth = backlog_seconds(now) / 10.0;
    return tenth >= seconds_of(kMost) ? kMost : std::max(kLeast, span_of(tenth));
}

std::vector<WorkerView> Scheduler::workers() const {
    std::vector<WorkerView> views;
    for (const WorkerIndex index : state_->registry.living()) {
        const WorkerRegistry::Worker& worker = state_->registry.worker(index);
        WorkerView view;
        view.id = worker.id;
        view.node = worker.node;
        view.fingerprint = worker.fingerprint;
        view.slots = worker.slots;
        view.credit = worker.credit;
        view.draining = worker.draining;
        for (const TaskIndex at : state_->held[index]) {
            view.running.push_back(state_->tasks[at].id);
        }
        for (const WorkerRegistry::Model& model : worker.models) {
            if (model.loaded || model.in_use > 0) {
                view.loaded.push_back(model.affinity);
            }
        }
        for (std::size_t kind = 0; kind < kTaskKinds; ++kind) {
            if (state_->registry.kept_off(worker, static_cast<TaskKind>(kind))) {
                view.kept_off.push_back(static_cast<TaskKind>(kind));
            }
        }
        views.push_back(std::move(view));
    }
    return views;
}

}  // namespace tessera
