#include "worker/worker_session.h"

#include <algorithm>
#include <utility>

namespace tessera {
namespace {

/// News of steps are told between heartbeats too, but not more often than people can see.
constexpr Duration kNewsPause = std::chrono::milliseconds(200);
/// In one frame; the others wait for the next.
constexpr std::size_t kMostPreviews = kMaxFrameBytes / 2;

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

void WorkerSession::send(WorkerMessage message) {
    actions_.emplace_back(SendToServer{std::move(message)});
}

WorkerSession::Held* WorkerSession::find(const TaskId& task, Epoch epoch) {
    const auto held = tasks_.find(task);
    return held != tasks_.end() && held->second.epoch == epoch ? &held->second : nullptr;
}

int WorkerSession::running() const {
    return static_cast<int>(std::count_if(tasks_.begin(), tasks_.end(), [](const auto& held) {
        return !held.second.end;
    }));
}

void WorkerSession::connected(std::vector<ModelOffer> models) {
    linked_ = false;
    WorkerHello hello = identity_;
    hello.models = std::move(models);
    for (const auto& [task, held] : tasks_) {
        hello.holds.push_back({task, held.epoch});
    }
    send(std::move(hello));
}

void WorkerSession::disconnected() {
    linked_ = false;
}

void WorkerSession::received(ServerMessage message, Instant now) {
    std::visit(
        Overloaded{
            [&](ServerHello& hello) { welcome(hello, now); },
            [&](AssignTask& task) { assign(std::move(task)); },
            [&](const HeartbeatAnswer& answer) {
                for (const auto& line : answer.tasks) {
                    if (line.order != TaskOrder::kGoOn) {
                        obey(line.task, line.epoch);
                    }
                }
            },
            [&](const CancelTask& cancel) { obey(cancel.task, cancel.epoch); },
            [&](const TaskSettled& settled) {
                const Held* held = find(settled.task, settled.epoch);
                if (held != nullptr && held->end) {
                    tasks_.erase(settled.task);
                }
            },
            [&](const DrainOrder& /*order*/) { drain(); },
            [&](Goodbye& goodbye) {
                actions_.emplace_back(LeaveFarm{std::move(goodbye.reason), goodbye.retry});
            },
        },
        message
    );
    offer_slots();
}

void WorkerSession::welcome(const ServerHello& hello, Instant now) {
    linked_ = true;
    offered_ = 0;
    // The predecessor's crash is told once.
    identity_.predecessor = {};
    identity_.predecessor_crash.clear();
    heartbeat_ = duration_of(hello.heartbeat_seconds);
    next_heartbeat_ = now + heartbeat_;
    for (auto held = tasks_.begin(); held != tasks_.end();) {
        const bool kept = std::any_of(hello.kept.begin(), hello.kept.end(), [&](const auto& line) {
            return line.task == held->first && line.epoch == held->second.epoch;
        });
        if (kept && held->second.end) {
            tell_end(held->second, now);
        }
        if (kept) {
            ++held;
            continue;
        }
        if (!held->second.end) {
            actions_.emplace_back(StopTask{held->first, held->second.epoch});
        }
        held = tasks_.erase(held);
    }
    if (draining_) {
        send(WorkerLeaving{});
    }
}

void WorkerSession::offer_slots() {
    // As many results may wait to be settled as there are slots; with more, the server cannot keep
    // them, and they would pile up here.
    const int most_held = std::min(2 * identity_.slots, kMaxSlots);
    const int free =
        std::min(identity_.slots - running(), most_held - static_cast<int>(tasks_.size()));
    if (linked_ && !draining_ && free > offered_) {
        send(WorkerReady{free - std::exchange(offered_, free)});
    }
}

void WorkerSession::assign(AssignTask task) {
    const auto old = tasks_.find(task.task);
    if (old != tasks_.end() && old->second.epoch >= task.epoch) {
        return;
    }
    offered_ = std::max(offered_ - 1, 0);
    if (draining_ || running() >= identity_.slots) {
        // It crossed our leaving, or the server counts otherwise: back at once.
        send(TaskFailed{
            task.task,
            task.epoch,
            TaskFailure{FaultKind::kInfrastructure, true, "the worker has no free slot", {}}});
        return;
    }
    if (old != tasks_.end()) {
        // A later epoch of what still runs here: the old one is worth nothing.
        if (!old->second.end) {
            actions_.emplace_back(StopTask{old->first, old->second.epoch});
        }
        tasks_.erase(old);
    }
    Held held;
    held.epoch = task.epoch;
    tasks_.emplace(task.task, std::move(held));
    actions_.emplace_back(StartTask{std::move(task)});
}

void WorkerSession::obey(const TaskId& task, Epoch epoch) {
    Held* held = find(task, epoch);
    if (held == nullptr) {
        return;
    }
    const bool ran = !held->end;
    tasks_.erase(task);
    if (ran) {
        actions_.emplace_back(StopTask{task, epoch});
    }
}

void WorkerSession::progressed(const TaskId& task, Epoch epoch, TaskProgress progress) {
    if (Held* held = find(task, epoch); held != nullptr && !held->end) {
        held->news = held->news || held->progress != progress;
        held->progress = std::move(progress);
    }
}

void WorkerSession::previewed(const TaskId& task, Epoch epoch, std::string jpeg) {
    if (Held* held = find(task, epoch); held != nullptr && !held->end) {
        held->preview = std::move(jpeg);
        held->news = true;
    }
}

void WorkerSession::checkpointed(const TaskId& task, Epoch epoch, TaskCheckpoint checkpoint) {
    const Held* held = find(task, epoch);
    if (held != nullptr && !held->end && linked_) {
        send(TaskCheckpointed{task, epoch, std::move(checkpoint)});
    }
}

void WorkerSession::completed(const TaskId& task, Epoch epoch, TaskResult result) {
    end(task, epoch, TaskCompleted{task, epoch, std::move(result)});
}

void WorkerSession::failed(const TaskId& task, Epoch epoch, TaskFailure failure) {
    end(task, epoch, TaskFailed{task, epoch, std::move(failure)});
}

void WorkerSession::end(const TaskId& task, Epoch epoch, WorkerMessage message) {
    Held* held = find(task, epoch);
    if (held == nullptr || held->end) {
        return;
    }
    held->end = std::move(message);
    if (linked_) {
        send(*held->end);
        offer_slots();
    }
}

void WorkerSession::tell_end(Held& held, Instant now) {
    send(*held.end);
    held.told = now;
}

template <class Report, class Part>
void WorkerSession::report(
    std::vector<Part> parts, std::size_t most, std::vector<Part> Report::*list
) {
    if (!linked_) {
        return;
    }
    for (std::size_t from = 0; from < parts.size(); from += most) {
        Report report;
        for (std::size_t i = from; i < std::min(from + most, parts.size()); ++i) {
            (report.*list).push_back(std::move(parts[i]));
        }
        send(std::move(report));
    }
}

void WorkerSession::measured(std::vector<MetricChange> changes) {
    report(std::move(changes), kMaxMetricChanges, &MetricReport::changes);
}

void WorkerSession::logged(std::vector<LogRecord> records) {
    report(std::move(records), kMaxLogRecords, &LogReport::records);
}

void WorkerSession::drain() {
    if (!draining_) {
        draining_ = true;
        if (linked_) {
            send(WorkerLeaving{});
        }
    }
}

std::optional<Instant> WorkerSession::tick(
    Instant now, std::uint64_t memory_bytes, std::vector<ModelOffer> models
) {
    if (!linked_) {
        return std::nullopt;
    }
    const bool news = std::any_of(tasks_.begin(), tasks_.end(), [](const auto& held) {
        return held.second.news && !held.second.end;
    });
    if (now >= next_heartbeat_) {
        // The server could not keep it the last time, or lost the message.
        for (auto& [task, held] : tasks_) {
            if (held.end && held.told == Instant{}) {
                held.told = now;
            } else if (held.end && now >= held.told + heartbeat_) {
                tell_end(held, now);
            }
        }
    }
    if (now >= next_heartbeat_ || (news && now >= last_beat_ + kNewsPause)) {
        Heartbeat beat;
        beat.number = ++beats_;
        beat.memory_bytes = memory_bytes;
        beat.models = std::move(models);
        std::size_t preview_bytes = 0;
        for (auto& [task, held] : tasks_) {
            // One that has ended is named too, or its lease would run out while it is settled.
            beat.tasks.push_back({task, held.epoch, held.progress, {}});
            held.news = false;
            if (preview_bytes + held.preview.size() <= kMostPreviews) {
                preview_bytes += held.preview.size();
                beat.tasks.back().preview = std::exchange(held.preview, {});
            }
        }
        send(std::move(beat));
        last_beat_ = now;
        next_heartbeat_ = now + heartbeat_;
    }
    return news ? std::min(next_heartbeat_, last_beat_ + kNewsPause) : next_heartbeat_;
}

std::vector<WorkerAction> WorkerSession::take_actions() {
    return std::exchange(actions_, {});
}

}  // namespace tessera
