#include "worker/worker.h"

#include "base/process_memory.h"

#include <algorithm>
#include <utility>

namespace tessera {
namespace {

/// How long an abandoned worker waits for the server to take its tasks back.
constexpr std::chrono::seconds kLastWords{2};
constexpr Duration kLongestSleep = std::chrono::seconds(1);
/// How often is looked which models there are, and which of them are in memory.
constexpr Duration kLookAgain = std::chrono::seconds(1);
/// How often the server is told what was measured and logged.
constexpr Duration kReportPause = std::chrono::seconds(1);

}  // namespace

Worker::Worker(
    WorkerOptions options,
    FarmTransport& transport,
    TaskObjects& objects,
    TaskRunner& runner,
    const Clock& clock,
    Entropy& entropy
)
    : options_(std::move(options)),
      transport_(transport),
      objects_(objects),
      runner_(runner),
      clock_(clock),
      entropy_(entropy),
      session_([this] {
          WorkerHello identity = options_.identity;
          identity.fingerprint = runner_.fingerprint();
          return identity;
      }()) {}

Worker::~Worker() {
    std::map<std::pair<TaskId, Epoch>, Running> running;
    {
        const std::lock_guard lock(mutex_);
        running.swap(running_);
    }
    for (auto& [task, run] : running) {
        run.slot->stop();
    }
}

Status Worker::run(const std::stop_token& drain, const std::stop_token& abandon) {
    look_at_models();
    const std::jthread look([this](const std::stop_token& stop) { keep_looking(stop); });
    const std::jthread heart([this](const std::stop_token& stop) { beat(stop); });
    const std::stop_callback on_drain(drain, [this] {
        std::unique_lock lock(mutex_);
        session_.drain();
        act();
        wake();
    });
    const std::stop_callback on_abandon(abandon, [this] { give_back_all(); });
    const Status ended = keep_link();
    std::shared_ptr<FarmLink> link;
    {
        const std::lock_guard lock(mutex_);
        ++link_number_;
        link.swap(link_);
    }
    return ended;
}

Status Worker::keep_link() {
    Duration pause = options_.first_pause;
    const auto done = [this] {
        return refused_ || (session_.draining() && session_.idle()) || abandoned_;
    };
    while (true) {
        Error why{ErrorKind::kUnavailable, {}};
        const bool connected = connect_once(why);
        std::unique_lock lock(mutex_);
        if (connected) {
            pause = options_.first_pause;
            changed_.wait(lock, [&] { return done() || !link_up_; });
            if (abandoned_) {
                changed_.wait_for(lock, kLastWords, [&] { return session_.idle() || !link_up_; });
            }
            if (!done()) {
                options_.say("the link to the server broke; trying again");
            }
        } else if (why.kind == ErrorKind::kDenied || why.kind == ErrorKind::kInvalidArgument) {
            return tl::unexpected(std::move(why));
        } else if (!done()) {
            options_.say(fmt::format("{}; trying again in {:.1f} s", why.message, seconds_of(pause))
            );
        }
        if (refused_) {
            return tl::unexpected(*std::move(refused_));
        }
        if (done()) {
            return {};
        }
        // Full jitter: many workers that lost one server must not come back at once.
        const Duration wait = duration_of(seconds_of(pause) * (0.5 + 0.5 * entropy_.unit()));
        changed_.wait_for(lock, wait, [&] { return done(); });
        pause = std::min(pause * 2, options_.longest_pause);
    }
}

bool Worker::connect_once(Error& why) {
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = ++link_number_;
        link_up_ = true;
    }
    FarmTransport::Events events;
    events.on_message = [this, number](ServerMessage message) {
        std::unique_lock lock(mutex_);
        if (number == link_number_) {
            session_.received(std::move(message), clock_.now());
            act();
            wake();
        }
    };
    events.on_closed = [this, number](const Error&) {
        const std::lock_guard lock(mutex_);
        if (number == link_number_) {
            session_.disconnected();
            link_up_ = false;
            wake();
        }
    };
    auto link = transport_.connect(std::move(events));
    std::shared_ptr<FarmLink> old;
    std::unique_lock lock(mutex_);
    if (!link) {
        link_up_ = false;
        why = std::move(link).error();
        return false;
    }
    old = std::exchange(link_, std::shared_ptr<FarmLink>(*std::move(link)));
    if (link_up_) {
        session_.connected(models_);
        act();
    }
    lock.unlock();
    return true;
}

void Worker::act() {
    for (WorkerAction& action : session_.take_actions()) {
        if (auto* to_send = std::get_if<SendToServer>(&action)) {
            if (link_ && !link_->send(to_send->message)) {
                session_.disconnected();
                link_up_ = false;
            }
        } else if (auto* begin = std::get_if<StartTask>(&action)) {
            start(std::move(begin->task));
        } else if (const auto* stop = std::get_if<StopTask>(&action)) {
            const auto running = running_.find({stop->task, stop->epoch});
            if (running != running_.end()) {
                running->second.slot->stop();
            }
        } else if (auto* leave = std::get_if<LeaveFarm>(&action)) {
            options_.say("the server says: " + leave->reason);
            if (!leave->retry) {
                refused_ = Error{ErrorKind::kUnavailable, std::move(leave->reason)};
            }
            link_up_ = false;
        }
    }
}

void Worker::start(AssignTask task) {
    const TaskId id = task.task;
    const Epoch epoch = task.epoch;
    // Called on the task's own thread, or under no lock of ours.
    SlotEvents events;
    events.on_progress = [this, id, epoch](TaskProgress progress) {
        const std::lock_guard lock(mutex_);
        session_.progressed(id, epoch, std::move(progress));
        wake();
    };
    events.on_preview = [this, id, epoch](std::string jpeg) {
        const std::lock_guard lock(mutex_);
        session_.previewed(id, epoch, std::move(jpeg));
        wake();
    };
    events.on_checkpoint = [this, id, epoch](TaskCheckpoint checkpoint) {
        std::unique_lock lock(mutex_);
        session_.checkpointed(id, epoch, std::move(checkpoint));
        act();
    };
    events.on_log = options_.on_task_log;
    auto slot = std::make_shared<TaskSlot>(
        std::move(task), objects_, clock_, options_.checkpoints, std::move(events)
    );
    Running& running = running_[{id, epoch}];
    running.slot = slot;
    running.thread = std::jthread([this, slot] { run_slot(slot); });
}

void Worker::run_slot(const std::shared_ptr<TaskSlot>& slot) {
    auto result = slot->run(runner_);
    const AssignTask& task = slot->task();
    std::unique_lock lock(mutex_);
    if (result) {
        session_.completed(task.task, task.epoch, *std::move(result));
    } else {
        session_.failed(task.task, task.epoch, std::move(result).error());
    }
    act();
    if (const auto running = running_.find({task.task, task.epoch}); running != running_.end()) {
        ended_.push_back(std::move(running->second.thread));
        running_.erase(running);
    }
    wake();
}

void Worker::wake() {
    ++news_;
    changed_.notify_all();
}

void Worker::look_at_models() {
    auto models = runner_.models();
    const std::lock_guard lock(mutex_);
    if (models.size() > kMaxModelOffers) {
        if (!std::exchange(told_too_many_, true)) {
            options_.say(fmt::format(
                "of {} models the first {} are offered to the farm", models.size(), kMaxModelOffers
            ));
        }
        models.resize(kMaxModelOffers);
    }
    models_ = std::move(models);
}

void Worker::keep_looking(const std::stop_token& stop) {
    while (true) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, stop, kLookAgain, [] { return false; });
        }
        if (stop.stop_requested()) {
            return;
        }
        look_at_models();
    }
}

void Worker::beat(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const Instant now = clock_.now();
        std::vector<std::jthread> ended;
        std::unique_lock lock(mutex_);
        const std::uint64_t seen = news_;
        ended.swap(ended_);
        const auto next = session_.tick(now, resident_bytes(), models_);
        report(now);
        act();
        watch_stuck(lock, now);
        if (!ended.empty()) {
            lock.unlock();
            ended.clear();
            continue;
        }
        Duration sleep = kLongestSleep;
        if (next) {
            sleep = std::clamp(*next - now, Duration(std::chrono::milliseconds(1)), kLongestSleep);
        }
        changed_.wait_for(lock, stop, sleep, [&] { return news_ != seen; });
    }
}

void Worker::report(Instant now) {
    if (session_.linked() && now >= reported_ + kReportPause) {
        reported_ = now;
        session_.measured(options_.metrics->take_changes());
        session_.logged(options_.take_log());
    }
}

void Worker::watch_stuck(std::unique_lock<std::mutex>& lock, Instant now) {
    for (const auto& [key, running] : running_) {
        const Duration still = running.slot->stuck_for(now, options_.patience);
        if (still == Duration::zero()) {
            continue;
        }
        const std::string message = fmt::format(
            "task {} has not moved for {:.0f} s and is given up with its process",
            to_string(key.first),
            seconds_of(still)
        );
        session_.failed(
            key.first,
            key.second,
            TaskFailure{FaultKind::kTask, true, message, running.slot->log_text()}
        );
        act();
        lock.unlock();
        options_.on_stuck(message);
        lock.lock();
        return;
    }
}

void Worker::give_back_all() {
    std::unique_lock lock(mutex_);
    abandoned_ = true;
    session_.drain();
    for (const auto& [key, running] : running_) {
        running.slot->stop();
        session_.failed(
            key.first,
            key.second,
            TaskFailure{FaultKind::kInfrastructure, true, "the worker was stopped", {}}
        );
    }
    act();
    wake();
}

}  // namespace tessera
