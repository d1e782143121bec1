#include "scheduler/scheduler.h"

#include "scheduler/scheduler_state.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tessera {
namespace {

constexpr double kLeastCost = 1e-6;
constexpr double kMostCost = 1e7;
constexpr std::chrono::milliseconds kFarAway = std::chrono::hours(24 * 365 * 10);

RegistrySettings registry_settings(const SchedulerSettings& settings) {
    return {
        settings.seconds_per_cost,
        settings.swap_seconds,
        settings.model_quantum_swaps,
        settings.keep_off_failures};
}

}  // namespace

Scheduler::State::State(const SchedulerSettings& its_settings, Entropy& its_entropy)
    : settings(its_settings),
      entropy(&its_entropy),
      index(
          std::max(settings.ageing_step, Duration(1)),
          std::max(settings.tenant_quantum_seconds, 1e-3)
      ),
      registry(registry_settings(settings)) {}

std::optional<TaskIndex> Scheduler::State::find(const TaskId& id) const {
    const auto job = jobs.find(id.job);
    if (job == jobs.end()) {
        return std::nullopt;
    }
    const auto task = job->second.find(id.index);
    return task == job->second.end() ? std::nullopt : std::optional(task->second);
}

Instant Scheduler::State::steady(WallTime moment, Instant now, WallTime wall) {
    constexpr Duration kJump = std::chrono::seconds(1);
    const auto is_off = [&] {
        const Duration off = (now - clocks->first) - (wall - clocks->second);
        return off > kJump || off < -kJump;
    };
    if (!clocks || is_off()) {
        clocks.emplace(now, wall);
    }
    return clocks->first + (moment - clocks->second);
}

TaskIndex Scheduler::State::learn_of(const ReadyTask& facts, Instant now, WallTime wall) {
    TaskIndex at = 0;
    if (const auto known = find(facts.id)) {
        at = *known;
        release(tasks[at], at, elapsed(tasks[at], now));
    } else {
        if (free_tasks.empty()) {
            at = static_cast<TaskIndex>(tasks.size());
            tasks.emplace_back();
        } else {
            at = free_tasks.back();
            free_tasks.pop_back();
        }
        jobs[facts.id.job][facts.id.index] = at;
    }
    const PoolIndex pool = registry.pool(facts.kind, facts.affinity);
    Task& task = tasks[at];
    task = Task();
    task.id = facts.id;
    task.tenant = facts.tenant;
    task.failed_on = facts.failed_on;
    task.pool = pool;
    task.ready_at = now;
    ++registry.at(pool).tasks;

    ReadyEntry& entry = task.entry;
    entry.task = at;
    entry.priority = std::min<std::uint8_t>(static_cast<std::uint8_t>(facts.priority), 2);
    const WallTime submitted = std::clamp(facts.submitted, wall - kFarAway, wall);
    entry.since = std::min(steady(submitted, now, wall), now);
    entry.sequence = ++sequence;
    entry.cost =
        std::isnan(facts.cost) ? kLeastCost : std::clamp(facts.cost, kLeastCost, kMostCost);
    if (facts.deadline) {
        const WallTime deadline = std::clamp(*facts.deadline, wall - kFarAway, wall + kFarAway);
        entry.deadline = steady(deadline, now, wall);
        entry.urgent_from = *entry.deadline - span_of(2.0 * usual_seconds(pool, entry.cost));
    }
    return at;
}

void Scheduler::State::put_into_line(TaskIndex at) {
    Task& task = tasks[at];
    task.stage = Task::Stage::kReady;
    task.entry.tenant = index.tenant(task.tenant);
    task.entry.in_class = index.in_class(task.pool, task.failed_on);
    index.add(task.entry);
    WorkerRegistry::Pool& pool = registry.at(task.pool);
    if (pool.waiting == 0) {
        pool.waiting_since = task.ready_at;
        pool.waiting_cost = 0.0;
    }
    ++pool.waiting;
    pool.waiting_cost += task.entry.cost;
}

void Scheduler::State::out_of_line(const Task& task) {
    WorkerRegistry::Pool& pool = registry.at(task.pool);
    --pool.waiting;
    pool.waiting_cost -= task.entry.cost;
}

void Scheduler::State::set_expected_end(Task& task, Instant end) {
    expected_ends += seconds_of(end - task.expected_end);
    task.expected_end = end;
}

void Scheduler::State::release(Task& task, TaskIndex at, double seconds) {
    if (task.stage == Task::Stage::kReady) {
        index.remove(task.entry);
        out_of_line(task);
    } else if (task.stage != Task::Stage::kForgotten) {
        auto& tasks_there = held[task.worker];
        tasks_there.erase(std::find(tasks_there.begin(), tasks_there.end(), at));
        --running;
        expected_ends -= seconds_of(task.expected_end.time_since_epoch());
        if (running == 0) {
            expected_ends = 0.0;
        }
        registry.end(task.worker, task.pool, seconds - task.work);
        index.settle(task.entry.tenant, seconds - task.charged);
    }
    if (task.stage != Task::Stage::kForgotten) {
        --registry.at(task.pool).tasks;
    }
    task.stage = Task::Stage::kForgotten;
}

void Scheduler::State::forget(TaskIndex at) {
    const TaskId& id = tasks[at].id;
    const auto job = jobs.find(id.job);
    job->second.erase(id.index);
    if (job->second.empty()) {
        jobs.erase(job);
    }
    tasks[at] = Task();
    free_tasks.push_back(at);
}

void Scheduler::State::start(TaskIndex at, double left, Instant now) {
    Task& task = tasks[at];
    task.stage = Task::Stage::kRunning;
    task.started = now;
    task.left = std::isnan(left) ? 1.0 : std::clamp(left, kLeastCost, 1.0);
    set_expected_end(task, now + span_of(task.work * task.left + task.swap));
}

double Scheduler::State::elapsed(const Task& task, Instant now) {
    return task.stage == Task::Stage::kRunning ? std::max(0.0, seconds_of(now - task.started))
                                               : 0.0;
}

Scheduler::Scheduler(const SchedulerSettings& settings, Entropy& entropy)
    : state_(std::make_unique<State>(settings, entropy)) {}

Scheduler::~Scheduler() = default;

void Scheduler::task_ready(const ReadyTask& task, Instant now, WallTime wall) {
    state_->put_into_line(state_->learn_of(task, now, wall));
}

void Scheduler::task_gone(const TaskId& task, Instant now) {
    if (const auto at = state_->find(task)) {
        State::Task& known = state_->tasks[*at];
        state_->release(known, *at, State::elapsed(known, now));
        state_->forget(*at);
    }
}

void Scheduler::worker_joined(const WorkerOffer& offer) {
    worker_left(offer.worker);
    worker_left(offer.predecessor);
    state_->registry.join(offer);
    const auto index = state_->registry.find(offer.worker);
    if (state_->held.size() <= *index) {
        state_->held.resize(*index + 1);
    }
}

void Scheduler::worker_left(const WorkerId& worker) {
    const auto index = state_->registry.find(worker);
    if (!index) {
        return;
    }
    const std::vector<TaskIndex> lost = state_->held[*index];
    for (const TaskIndex at : lost) {
        State::Task& task = state_->tasks[at];
        state_->release(task, at, task.charged);
        state_->forget(at);
    }
    state_->registry.leave(*index);
}

void Scheduler::worker_failed(const WorkerId& worker, TaskKind kind) {
    state_->registry.blame(worker, kind);
}

void Scheduler::worker_draining(const WorkerId& worker) {
    if (const auto index = state_->registry.find(worker)) {
        state_->registry.drain(*index);
    }
}

void Scheduler::worker_silent(const WorkerId& worker, bool silent) {
    if (const auto index = state_->registry.find(worker)) {
        state_->registry.set_silent(*index, silent);
    }
}

void Scheduler::worker_credit(const WorkerId& worker, int more) {
    if (const auto index = state_->registry.find(worker)) {
        state_->registry.add_credit(*index, more);
    }
}

void Scheduler::worker_models(const WorkerId& worker, const std::vector<ModelOffer>& models) {
    if (const auto index = state_->registry.find(worker)) {
        state_->registry.set_models(*index, models);
    }
}

void Scheduler::assignment_failed(const TaskId& id, bool still_ready) {
    const auto at = state_->find(id);
    if (!at || state_->tasks[*at].stage != State::Task::Stage::kTaken) {
        return;
    }
    State::Task& task = state_->tasks[*at];
    const WorkerIndex worker = task.worker;
    state_->release(task, *at, 0.0);
    state_->registry.add_credit(worker, 1);
    if (still_ready) {
        ++state_->registry.at(task.pool).tasks;
        state_->put_into_line(*at);
    } else {
        state_->forget(*at);
    }
}

double Scheduler::task_started(const TaskId& id, const WorkerId& worker, Instant now, double left) {
    const auto at = state_->find(id);
    if (!at) {
        return 0.0;
    }
    const State::Task& task = state_->tasks[*at];
    if (task.stage != State::Task::Stage::kTaken ||
        state_->registry.worker(task.worker).id != worker) {
        return 0.0;
    }
    state_->start(*at, left, now);
    return task.work * task.left + task.swap;
}

void Scheduler::task_held(
    const ReadyTask& facts, const WorkerId& worker, Instant now, WallTime wall
) {
    const auto index = state_->registry.find(worker);
    if (!index) {
        return;
    }
    State& state = *state_;
    const TaskIndex at = state.learn_of(facts, now, wall);
    State::Task& task = state.tasks[at];
    task.worker = *index;
    task.work = state.usual_seconds(task.pool, task.entry.cost);
    task.charged = task.work;
    task.expected_end = Instant();
    task.entry.tenant = state.index.tenant(task.tenant);
    state.index.charge(task.entry.tenant, task.charged);
    state.held[*index].push_back(at);
    ++state.running;
    state.registry.begin(*index, task.pool, task.work, false, now);
    task.is_lesson = false;
    state.start(at, 1.0, now);
}

void Scheduler::task_progress(const TaskId& id, const TaskProgress& progress, Instant now) {
    const auto at = state_->find(id);
    if (!at || progress.step <= 0 || progress.steps <= 0) {
        return;
    }
    State::Task& task = state_->tasks[*at];
    if (task.stage != State::Task::Stage::kRunning) {
        return;
    }
    // Never less than was expected: early steps know nothing of decoding and storing.
    const double part = std::min(1.0, static_cast<double>(progress.step) / progress.steps);
    const double so_far = State::elapsed(task, now);
    const Instant end = now + span_of((1.0 - part) * std::max(task.work, so_far));
    state_->set_expected_end(task, end);
}

void Scheduler::task_ended(
    const TaskId& id, const WorkerId& worker, TaskOutcome outcome, double seconds, Instant now
) {
    const auto at = state_->find(id);
    if (!at) {
        return;
    }
    State& state = *state_;
    State::Task& task = state.tasks[*at];
    if (task.stage != State::Task::Stage::kRunning ||
        state.registry.worker(task.worker).id != worker) {
        return;
    }
    if (!(seconds > 0.0)) {
        seconds = State::elapsed(task, now);
    }
    WorkerRegistry::Pool& pool = state.registry.at(task.pool);
    const WorkerIndex index = task.worker;
    if (outcome == TaskOutcome::kDone && task.is_lesson) {
        if (WorkerRegistry::Member* member = state.registry.member(index, task.pool)) {
            pool.costs.learn(
                member->seconds_per_cost, *member->node, task.entry.cost, seconds, task.swaps, now
            );
        }
    }
    state.release(task, *at, std::max(0.0, seconds - task.swap));
    if (outcome == TaskOutcome::kDone || outcome == TaskOutcome::kOwnFault) {
        state.registry.judge(index, pool.kind, outcome == TaskOutcome::kOwnFault);
    }
    state.forget(*at);
}

std::size_t Scheduler::ready_tasks() const {
    return state_->index.tasks();
}

std::size_t Scheduler::running_tasks() const {
    return state_->running;
}

}  // namespace tessera
