#include "simulated_worker.h"

#include <algorithm>
#include <utility>

namespace tessera::simulation {
namespace {

constexpr Duration kShortestStep = std::chrono::milliseconds(20);
constexpr Duration kLongestStep = std::chrono::milliseconds(300);
constexpr Duration kRedial = std::chrono::milliseconds(300);
constexpr int kSlots = 2;

}  // namespace

SimulatedWorker::SimulatedWorker(
    std::size_t number, VirtualTime& time, Entropy& entropy, SimulatedNetwork network
)
    : number_(number), time_(time), entropy_(entropy), network_(std::move(network)) {}

Duration SimulatedWorker::chance_between(Duration least, Duration most) {
    return least + duration_of(seconds_of(most - least) * entropy_.unit());
}

void SimulatedWorker::wake_later(Duration delay, std::function<void()> what) {
    // A frozen process does nothing until it is thawed; then it does all at once.
    time_.after(delay, [this, what = std::move(what)]() mutable {
        if (time_.now() < frozen_until_) {
            time_.at(frozen_until_, std::move(what));
        } else {
            what();
        }
    });
}

void SimulatedWorker::start() {
    begin_process();
}

void SimulatedWorker::begin_process() {
    ++life_;
    alive_ = true;
    WorkerHello hello;
    hello.predecessor = std::exchange(id_, {fmt::format("w{}-{}", number_, life_)});
    hello.predecessor_crash = std::exchange(crash_, {});
    hello.worker = id_;
    hello.node = "simulated";
    hello.slots = kSlots;
    session_ = std::make_unique<WorkerSession>(std::move(hello));
    connect(life_);
    beat(life_);
}

void SimulatedWorker::connect(std::uint64_t life) {
    if (!alive(life) || connection_) {
        return;
    }
    connection_ = network_.dial(number_);
    if (!connection_) {
        wake_later(chance_between(kRedial, kRedial * 3), [this, life] { connect(life); });
        return;
    }
    session_->connected({{"model", true}});
    act();
}

void SimulatedWorker::kill(bool crash) {
    if (!alive_) {
        return;
    }
    alive_ = false;
    frozen_until_ = {};
    running_.clear();
    session_.reset();
    if (connection_) {
        network_.hang_up(*std::exchange(connection_, std::nullopt));
    }
    crash_ = crash ? "signal 11" : "";
    if (crash) {
        crashed_.insert(id_);
    }
    const std::uint64_t life = life_;
    time_.after(
        chance_between(std::chrono::milliseconds(50), std::chrono::seconds(2)),
        [this, life] {
            if (!alive_ && life == life_) {
                begin_process();
            }
        }
    );
}

void SimulatedWorker::freeze(Duration duration) {
    frozen_until_ = std::max(frozen_until_, time_.now() + duration);
}

void SimulatedWorker::receive(std::uint64_t connection, ServerMessage message) {
    const std::uint64_t life = life_;
    auto hear = [this, connection, life, message = std::move(message)]() mutable {
        if (alive(life) && connection_ == connection) {
            session_->received(std::move(message), time_.now());
            act();
        }
    };
    if (time_.now() < frozen_until_) {
        time_.at(frozen_until_, hear);
    } else {
        hear();
    }
}

void SimulatedWorker::lose_connection(std::uint64_t connection) {
    if (!alive_ || connection_ != connection) {
        return;
    }
    connection_.reset();
    session_->disconnected();
    wake_later(chance_between(kRedial, kRedial * 3), [this, life = life_] { connect(life); });
}

void SimulatedWorker::act() {
    for (WorkerAction& action : session_->take_actions()) {
        if (auto* send = std::get_if<SendToServer>(&action)) {
            if (connection_) {
                network_.to_server(*connection_, std::move(send->message));
            }
        } else if (auto* begin = std::get_if<StartTask>(&action)) {
            start_task(std::move(begin->task));
        } else if (const auto* stop = std::get_if<StopTask>(&action)) {
            running_.erase({stop->task, stop->epoch});
        } else if (connection_) {
            network_.hang_up(*connection_);
            lose_connection(*connection_);
        }
    }
}

void SimulatedWorker::start_task(AssignTask task) {
    Running run;
    const auto spec = decode_job_spec(task.spec);
    run.nature = nature_of(*spec, task.task);
    run.render = task.checkpoint ? render_of(*task.checkpoint) : begin_render(task.task);
    run.life = life_;
    const TaskId id = task.task;
    const Epoch epoch = task.epoch;
    run.task = std::move(task);
    running_.insert_or_assign({id, epoch}, std::move(run));
    wake_later(chance_between(kShortestStep, kLongestStep), [this, life = life_, id, epoch] {
        take_step(life, id, epoch);
    });
}

void SimulatedWorker::take_step(std::uint64_t life, TaskId task, Epoch epoch) {
    const auto found = running_.find({task, epoch});
    if (!alive(life) || found == running_.end()) {
        return;
    }
    Running& run = found->second;
    run.render.advance();
    // A task that is to fail does so at its second step, in the attempts that it fails in.
    if (run.render.step >= 2 && run.task.attempt <= run.nature.own_failures) {
        session_->failed(task, epoch, {FaultKind::kTask, true, "it was to fail", "a log"});
        running_.erase(found);
        act();
        return;
    }
    if (run.render.step >= run.nature.steps) {
        TaskResult result;
        result.object = object_of(run.render);
        result.fingerprint = "simulated";
        ++completed_;
        session_->completed(task, epoch, std::move(result));
        running_.erase(found);
        act();
        return;
    }
    session_->progressed(task, epoch, {run.render.step, run.nature.steps, "step"});
    if (entropy_.unit() < 0.5) {
        session_->checkpointed(task, epoch, {object_of(run.render), run.render.step, "simulated"});
    }
    act();
    wake_later(chance_between(kShortestStep, kLongestStep), [this, life, task, epoch] {
        take_step(life, task, epoch);
    });
}

void SimulatedWorker::beat(std::uint64_t life) {
    if (!alive(life)) {
        return;
    }
    (void)session_->tick(time_.now(), 1, {{"model", true}});
    act();
    wake_later(std::chrono::milliseconds(100), [this, life] { beat(life); });
}

}  // namespace tessera::simulation
