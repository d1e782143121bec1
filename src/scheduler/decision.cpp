#include "scheduler/scheduler_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace tessera {

std::vector<WorkerIndex> Scheduler::State::excluded(
    const WorkerRegistry::Pool& pool, std::span<const WorkerId> failed_on
) const {
    std::vector<WorkerIndex> excluded;
    excluded.reserve(failed_on.size());
    for (const WorkerId& id : failed_on) {
        const auto worker = registry.find_in_place_of(id);
        if (!worker || std::find(excluded.begin(), excluded.end(), *worker) != excluded.end()) {
            continue;
        }
        for (const WorkerRegistry::Membership& membership : registry.worker(*worker).pools) {
            if (&registry.at(membership.pool) == &pool &&
                pool.allows(pool.members[membership.member])) {
                excluded.push_back(*worker);
            }
        }
    }
    const int able = pool.usable_not_kept_off > 0 ? pool.usable_not_kept_off : pool.usable;
    if (static_cast<int>(excluded.size()) >= able) {
        excluded.clear();
    }
    return excluded;
}

void Scheduler::State::gather(
    const WorkerRegistry::Pool& pool,
    std::span<const WorkerId> failed_on,
    bool hot_only,
    std::size_t limit,
    std::vector<std::uint32_t>& into
) const {
    into.clear();
    const std::vector<WorkerIndex> not_there = excluded(pool, failed_on);
    for (const std::vector<std::uint32_t>* list : {&pool.hot, &pool.open}) {
        for (const std::uint32_t member : *list) {
            if (into.size() >= limit) {
                return;
            }
            const WorkerIndex worker = *pool.members[member].worker;
            if (std::find(not_there.begin(), not_there.end(), worker) == not_there.end()) {
                into.push_back(member);
            }
        }
        if (hot_only) {
            return;
        }
    }
}

Instant Scheduler::State::patient_until(
    const WorkerRegistry::Pool& pool, std::span<const WorkerId> failed_on
) const {
    // A task that failed somewhere may well wait for the one worker that is not for it.
    if (!pool.hot.empty() || pool.open_warm > 0 || pool.warm == 0 || !failed_on.empty()) {
        return Instant::min();
    }
    const double swap = pool.costs.swap_seconds();
    const double before = pool.waiting_cost * pool.costs.seconds_per_cost();
    return before > swap * pool.warm ? Instant::min()
                                     : pool.waiting_since + span_of(settings.patience_swaps * swap);
}

std::optional<TaskIndex> Scheduler::State::next_task(bool hot_only, Instant now) {
    available.clear();
    for (const ClassIndex candidate : index.busy_classes()) {
        const ReadyIndex::Class& in_class = index.at(candidate);
        const WorkerRegistry::Pool& pool = registry.at(in_class.pool);
        if (pool.hot.empty() && (hot_only || pool.open.empty())) {
            continue;
        }
        if (!in_class.failed_on.empty()) {
            gather(pool, in_class.failed_on, hot_only, 1, members);
            if (members.empty()) {
                continue;
            }
        }
        if (!hot_only) {
            const Instant patience = patient_until(pool, in_class.failed_on);
            if (patience > now) {
                ask_again = std::min(ask_again.value_or(patience), patience);
                continue;
            }
        }
        available.push_back(candidate);
    }
    return index.next(available, now);
}

Assignment Scheduler::State::assign(TaskIndex at, bool hot_only, Instant now) {
    Task& task = tasks[at];
    const WorkerRegistry::Pool& pool = registry.at(task.pool);
    gather(pool, task.failed_on, hot_only, std::numeric_limits<std::size_t>::max(), members);
    candidates.clear();
    for (const std::uint32_t member_index : members) {
        const WorkerRegistry::Member& member = pool.members[member_index];
        const WorkerRegistry::Worker& worker = registry.worker(*member.worker);
        const double work = task.entry.cost *
                            pool.costs.seconds_per_cost(member.seconds_per_cost, *member.node, now);
        const double swap = member.loaded ? 0.0 : pool.costs.swap_seconds(*member.node, now);
        candidates.push_back({worker.joined, worker.running, worker.slots, work + swap});
    }
    const std::size_t chosen = choose(settings.policy, candidates, memory, *entropy);
    const WorkerRegistry::Member& member = pool.members[members[chosen]];
    task.worker = *member.worker;
    task.swap = member.loaded ? 0.0 : pool.costs.swap_seconds(*member.node, now);
    task.work = candidates[chosen].seconds - task.swap;
    task.charged = usual_seconds(task.pool, task.entry.cost);
    task.stage = Task::Stage::kTaken;
    index.take(task.entry, task.charged);
    out_of_line(task);
    registry.at(task.pool).waiting_since = now;
    task.swaps = registry.begin(task.worker, task.pool, task.work, true, now);
    held[task.worker].push_back(at);
    ++running;
    task.expected_end = Instant();
    set_expected_end(task, now + span_of(candidates[chosen].seconds));

    Assignment assignment;
    assignment.task = task.id;
    assignment.worker = registry.worker(task.worker).id;
    assignment.expected = span_of(candidates[chosen].seconds);
    assignment.swap = task.swaps;
    assignment.policy = settings.policy;
    assignment.candidates = static_cast<int>(candidates.size());
    return assignment;
}

std::optional<Assignment> Scheduler::next(Instant now) {
    state_->ask_again.reset();
    // First those workers whose model has its turn; who is free after that may change it.
    for (const bool hot_only : {true, false}) {
        if (const auto task = state_->next_task(hot_only, now)) {
            return state_->assign(*task, hot_only, now);
        }
    }
    return std::nullopt;
}

std::optional<Instant> Scheduler::ask_again() const {
    return state_->ask_again;
}

std::string why(const Assignment& assignment) {
    return fmt::format(
        "{}; {} of {}, about {:.1f} s",
        assignment.swap ? "the worker has to load its model" : "the worker has its model loaded",
        to_string(assignment.policy),
        assignment.candidates,
        seconds_of(assignment.expected)
    );
}

}  // namespace tessera
