#include "simulation.h"

#include "base/hash.h"

#include <algorithm>
#include <cstdio>
#include <system_error>
#include <utility>

namespace tessera::simulation {
namespace {

constexpr Duration kLease = std::chrono::seconds(2);
constexpr Duration kHeartbeat = std::chrono::milliseconds(400);
constexpr Duration kTrouble = std::chrono::seconds(60);
constexpr Duration kCalm = std::chrono::seconds(400);
constexpr Duration kSlowestMessage = std::chrono::milliseconds(40);
constexpr std::size_t kWorkers = 5;

/// A plan of a few renders, or of one picture in tiles.
JobPlan plan_of(const JobSpec& spec, std::uint64_t chance) {
    JobPlan plan;
    plan.spec = spec;
    plan.recipe = "{}";
    plan.affinity = "model";
    if (chance % 4 != 0) {
        for (int i = 0; i < spec.count; ++i) {
            plan.units.push_back({});
            plan.tasks.push_back({TaskKind::kRender, i, {}, 1.0, true});
        }
        return plan;
    }
    constexpr int kTiles = 3;
    plan.spec.count = 1;
    plan.units.push_back({});
    plan.tasks.push_back({TaskKind::kRender, 0, {}, 1.0, false});
    TaskPlan merge{TaskKind::kMerge, 0, {}, 0.2, true};
    for (int i = 1; i <= kTiles; ++i) {
        plan.units.push_back({0, {0, (i - 1) * 64, 64, 64}});
        plan.tasks.push_back({TaskKind::kUpscale, i, {0}, 0.5, false});
        merge.needs.push_back(i);
    }
    plan.tasks.push_back(std::move(merge));
    return plan;
}

}  // namespace

/// The server's end of a connection.
class Simulation::Link final : public WorkerLink {
  public:
    Link(Simulation& world, std::uint64_t connection) : world_(world), connection_(connection) {}

    bool send(const ServerMessage& message) override {
        world_.to_worker(connection_, message);
        return true;
    }
    void close(const std::string& /*reason*/) override { world_.hang_up(connection_); }

  private:
    Simulation& world_;
    const std::uint64_t connection_;
};

Simulation::Simulation(SimulationPlan plan)
    : plan_(std::move(plan)), entropy_(plan_.seed), queue_entropy_(plan_.seed ^ 0x5EEDU) {
    std::filesystem::remove_all(plan_.folder);
    std::filesystem::create_directories(plan_.folder);
}

Simulation::~Simulation() {
    watch_.reset();
    dispatcher_.reset();
    queue_.reset();
    std::error_code error;
    std::filesystem::remove_all(plan_.folder, error);
}

void Simulation::broken(std::string what) {
    report_.broken.push_back(fmt::format("seed {}: {}", plan_.seed, what));
}

Duration Simulation::some_time(Duration most) {
    return duration_of(seconds_of(most) * entropy_.unit());
}

void Simulation::start_server() {
    ++server_life_;
    SqliteQueueOptions options;
    options.path = plan_.folder / "jobs.db";
    options.background = false;
    options.grace = kLease;
    options.retry.first_pause = std::chrono::milliseconds(100);
    options.retry.longest_pause = std::chrono::seconds(2);
    options.retry.infrastructure_losses = 1'000;
    auto queue = SqliteTaskQueue::open(std::move(options), time_, queue_entropy_);
    if (!queue) {
        broken("the queue does not open: " + queue.error().message);
        return;
    }
    queue_ = *std::move(queue);
    watch_ = queue_->watch([this](const QueueEvent& event) { hear(event); });
    DispatcherOptions dispatching;
    dispatching.lease = kLease;
    dispatching.heartbeat = kHeartbeat;
    dispatching.say = [](const std::string&) {};
    dispatcher_ =
        std::make_unique<Dispatcher>(std::move(dispatching), *queue_, time_, queue_entropy_);
    step_server();
}

void Simulation::kill_server() {
    ++report_.server_kills;
    // In this order nothing is said or written any more.
    watch_.reset();
    ++server_life_;
    std::vector<std::uint64_t> open;
    open.reserve(connections_.size());
    for (const auto& [number, connection] : connections_) {
        open.push_back(number);
    }
    auto dispatcher = std::move(dispatcher_);
    for (const std::uint64_t number : open) {
        hang_up(number);
    }
    dispatcher.reset();
    queue_.reset();
    flush_planned_ = step_planned_ = false;
    time_.after(some_time(std::chrono::seconds(3)), [this] {
        if (!queue_) {
            start_server();
        }
    });
}

void Simulation::step_server() {
    if (!dispatcher_) {
        return;
    }
    const Instant next = dispatcher_->step();
    flush_soon();
    if (!step_planned_) {
        step_planned_ = true;
        time_.at(
            std::max(next, time_.now() + std::chrono::milliseconds(1)),
            [this, life = server_life_] {
                if (life == server_life_) {
                    step_planned_ = false;
                    step_server();
                }
            }
        );
    }
}

void Simulation::flush_soon() {
    if (flush_planned_) {
        return;
    }
    flush_planned_ = true;
    time_.after(some_time(std::chrono::milliseconds(8)), [this, life = server_life_] {
        if (life == server_life_ && queue_) {
            flush_planned_ = false;
            queue_->flush();
            (void)dispatcher_->step();
        }
    });
}

void Simulation::hear(const QueueEvent& event) {
    if (event.kind == QueueEvent::Kind::kTaskClaimed) {
        given_[event.task].emplace(event.epoch, event.worker);
        // The same worker may come back to what it holds; nobody else may hold that epoch.
        auto& [epoch, worker] = claimed_[event.task];
        if (event.epoch < epoch || (event.epoch == epoch && event.worker != worker)) {
            broken(fmt::format(
                "{} was claimed by {} under epoch {:x}, after {} under {:x}",
                to_string(event.task),
                event.worker.value,
                event.epoch.value,
                worker.value,
                epoch.value
            ));
        }
        epoch = event.epoch;
        worker = event.worker;
    }
    if (event.kind != QueueEvent::Kind::kTaskDone) {
        return;
    }
    const auto known = by_id_.find(event.job);
    if (known == by_id_.end()) {
        broken(fmt::format("{} was done, but never submitted", to_string(event.task)));
        return;
    }
    if (!delivered_.emplace(event.task, event.result->object).second) {
        broken(fmt::format("{} was delivered twice", to_string(event.task)));
    }
    const auto expected = expected_result(submissions_[known->second].spec, event.task);
    if (event.result->object != expected) {
        broken(fmt::format("{} came out wrong", to_string(event.task)));
    }
}

std::optional<std::uint64_t> Simulation::dial(std::size_t worker) {
    if (!dispatcher_ || time_.now() < partition_ends_) {
        return std::nullopt;
    }
    const std::uint64_t number = next_connection_++;
    Connection connection;
    connection.worker = worker;
    connection.server_life = server_life_;
    connection.link = dispatcher_->link_opened(std::make_shared<Link>(*this, number));
    connections_.emplace(number, connection);
    return number;
}

void Simulation::to_server(std::uint64_t number, WorkerMessage message) {
    const auto found = connections_.find(number);
    if (found == connections_.end()) {
        return;
    }
    const bool twice = !calm_ && !std::holds_alternative<WorkerHello>(message) &&
                       !std::holds_alternative<WorkerReady>(message) && entropy_.unit() < 0.03;
    report_.duplicates += twice ? 1 : 0;
    for (int copy = twice ? 2 : 1; copy > 0; --copy) {
        Connection& connection = found->second;
        connection.last_to_server =
            std::max(connection.last_to_server, time_.now()) + some_time(kSlowestMessage);
        time_.at(connection.last_to_server, [this, number, message] {
            const auto open = connections_.find(number);
            if (open != connections_.end() && dispatcher_ &&
                open->second.server_life == server_life_) {
                dispatcher_->link_message(open->second.link, message);
                step_server();
            }
        });
    }
}

void Simulation::to_worker(std::uint64_t number, ServerMessage message) {
    const auto found = connections_.find(number);
    if (found == connections_.end()) {
        return;
    }
    const bool twice =
        !calm_ && !std::holds_alternative<ServerHello>(message) && entropy_.unit() < 0.03;
    report_.duplicates += twice ? 1 : 0;
    for (int copy = twice ? 2 : 1; copy > 0; --copy) {
        Connection& connection = found->second;
        connection.last_to_worker =
            std::max(connection.last_to_worker, time_.now()) + some_time(kSlowestMessage);
        time_.at(connection.last_to_worker, [this, number, message] {
            const auto open = connections_.find(number);
            if (open != connections_.end()) {
                workers_[open->second.worker]->receive(number, message);
            }
        });
    }
}

void Simulation::hang_up(std::uint64_t number) {
    const auto found = connections_.find(number);
    if (found == connections_.end()) {
        return;
    }
    const Connection connection = found->second;
    connections_.erase(found);
    time_.after(std::chrono::milliseconds(1), [this, number, connection] {
        workers_[connection.worker]->lose_connection(number);
        if (dispatcher_ && connection.server_life == server_life_) {
            dispatcher_->link_closed(connection.link);
            step_server();
        }
    });
}

void Simulation::submit(std::size_t number) {
    Submission& submission = submissions_[number];
    if (submission.acknowledged) {
        return;
    }
    // A client that hears nothing asks again, under the same key.
    time_.after(std::chrono::milliseconds(700), [this, number] { submit(number); });
    if (!queue_) {
        return;
    }
    const JobId id{new_ulid(time_.wall(), entropy_)};
    by_id_.emplace(id, number);
    const std::uint64_t chance = begin_render({{submission.spec.idempotency_key}, 0}).state;
    queue_->enqueue(id, plan_of(submission.spec, chance), [this, number](Result<Enqueued> done) {
        Submission& one = submissions_[number];
        if (!done) {
            broken("a submission was refused: " + done.error().message);
        } else if (one.acknowledged && one.id != done->job) {
            broken("two jobs under one idempotency key");
        } else {
            one.acknowledged = true;
            one.id = done->job;
        }
    });
    flush_soon();
}

void Simulation::cancel_some() {
    for (Submission& submission : submissions_) {
        if (queue_ && submission.acknowledged && entropy_.unit() < 0.01) {
            queue_->cancel(submission.id, [&submission](const Status& done) {
                submission.cancelled = submission.cancelled || done.has_value();
            });
            flush_soon();
        }
    }
}

void Simulation::misfortune() {
    if (calm_) {
        return;
    }
    const double what = entropy_.unit();
    SimulatedWorker& worker = *workers_[entropy_.next() % workers_.size()];
    if (what < 0.35) {
        ++report_.worker_kills;
        worker.kill(what < 0.10);
    } else if (what < 0.55) {
        ++report_.freezes;
        worker.freeze(some_time(kLease * 3));
    } else if (what < 0.70 && !connections_.empty()) {
        ++report_.partitions;
        auto one = connections_.begin();
        std::advance(one, static_cast<std::ptrdiff_t>(entropy_.next() % connections_.size()));
        hang_up(one->first);
        partition_ends_ = time_.now() + some_time(std::chrono::seconds(1));
    } else if (what < 0.80) {
        ++report_.clock_jumps;
        time_.jump_wall(some_time(std::chrono::hours(2)) - std::chrono::hours(1));
    } else if (what < 0.86 && queue_) {
        kill_server();
    } else {
        cancel_some();
    }
    time_.after(some_time(std::chrono::milliseconds(900)), [this] { misfortune(); });
}

SimulationReport Simulation::run() {
    start_server();
    SimulatedNetwork network;
    network.dial = [this](std::size_t worker) { return dial(worker); };
    network.to_server = [this](std::uint64_t connection, WorkerMessage message) {
        to_server(connection, std::move(message));
    };
    network.hang_up = [this](std::uint64_t connection) { hang_up(connection); };
    for (std::size_t i = 0; i < kWorkers; ++i) {
        workers_.push_back(std::make_unique<SimulatedWorker>(i, time_, entropy_, network));
        workers_.back()->start();
    }
    for (int tasks = 0; tasks < plan_.tasks;) {
        JobSpec spec;
        spec.count = 1 + static_cast<int>(entropy_.next() % 4);
        spec.tenant = fmt::format("tenant {}", entropy_.next() % 4);
        spec.priority = static_cast<Priority>(entropy_.next() % 3);
        spec.idempotency_key = fmt::format("key {}", submissions_.size());
        const double kind = entropy_.unit();
        spec.render.prompt = kind < 0.03 ? "poison" : kind < 0.10 ? "flaky" : "a lighthouse";
        const std::uint64_t chance = begin_render({{spec.idempotency_key}, 0}).state;
        const JobPlan plan = plan_of(spec, chance);
        spec.count = plan.spec.count;
        tasks += static_cast<int>(plan.tasks.size());
        submissions_.push_back({std::move(spec), {}});
        report_.tasks += plan.tasks.size();
    }
    for (std::size_t i = 0; i < submissions_.size(); ++i) {
        time_.after(some_time(kTrouble * 3 / 4), [this, i] { submit(i); });
    }
    misfortune();
    time_.run_until(time_.now() + kTrouble);
    calm_ = true;
    if (!queue_) {
        start_server();
    }
    const Instant end = time_.now() + kCalm;
    while (time_.now() < end) {
        time_.run_until(time_.now() + std::chrono::seconds(10));
        const QueueCounts counts = queue_ ? queue_->counts("") : QueueCounts{1, 0, 0, 0, 0.0};
        const bool submitted =
            std::all_of(submissions_.begin(), submissions_.end(), [](const auto& one) {
                return one.acknowledged;
            });
        if (submitted && counts.blocked + counts.ready + counts.delayed + counts.running == 0) {
            break;
        }
    }
    check_end();
    return report_;
}

void Simulation::check_end() {
    report_.jobs = submissions_.size();
    for (const auto& worker : workers_) {
        report_.renders += worker->completed();
        report_.crashes += worker->crashed().size();
    }
    for (const Submission& submission : submissions_) {
        check_job(submission);
    }
}

void Simulation::check_blame(const JobView& job) {
    for (const TaskView& task : job.tasks) {
        int fair = nature_of(job.plan->spec, task.id).own_failures;
        const auto given = given_.find(task.id);
        if (given != given_.end()) {
            for (const auto& [epoch, process] : given->second) {
                for (const auto& worker : workers_) {
                    fair += worker->crashed().contains(process) ? 1 : 0;
                }
            }
        }
        if (task.own_failures > fair) {
            broken(fmt::format(
                "{} is blamed for {} failures, and had {}",
                to_string(task.id),
                task.own_failures,
                fair
            ));
        }
    }
}

void Simulation::check_job(const Submission& submission) {
    if (!submission.acknowledged) {
        broken(submission.spec.idempotency_key + " was never acknowledged");
        return;
    }
    const auto view = queue_->job(submission.id);
    if (!view) {
        broken("an acknowledged job is lost: " + submission.id.value);
        return;
    }
    if (!is_final(view->state)) {
        broken(fmt::format("job {} did not end: {}", submission.id.value, to_string(view->state)));
        return;
    }
    if (submission.cancelled) {
        if (view->state != JobState::kCancelled) {
            broken("a cancelled job ended as " + std::string(to_string(view->state)));
        }
        return;
    }
    check_blame(*view);
    const bool poison = submission.spec.render.prompt == "poison";
    const bool blamed = std::ranges::any_of(view->tasks, [](const TaskView& task) {
        return task.own_failures >= RetryPolicy().own_failures;
    });
    if (blamed && view->state == JobState::kFailed) {
        return;
    }
    if (poison ? view->state == JobState::kDone : view->state != JobState::kDone) {
        // A cancel whose answer was lost is no broken promise.
        if (view->state != JobState::kCancelled) {
            broken(fmt::format(
                "job {} ended as {}: {}",
                submission.id.value,
                to_string(view->state),
                submission.spec.render.prompt
            ));
        }
        return;
    }
    for (const TaskView& task : view->tasks) {
        const bool done = task.state == TaskState::kDone;
        if (done != delivered_.contains(task.id)) {
            broken(fmt::format("{} is {} on record", to_string(task.id), to_string(task.state)));
        }
    }
}

}  // namespace tessera::simulation
