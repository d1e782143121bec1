#include "scheduler/dispatcher.h"

#include "telemetry/farm_metrics.h"
#include "telemetry/trace_context.h"

#include <algorithm>
#include <utility>

namespace tessera {
namespace {

/// Heartbeats that may be missing before a worker gets no new tasks, and before its link is cut.
constexpr int kSilentBeats = 2;
constexpr int kLostBeats = 6;
constexpr Duration kLongestSleep = std::chrono::seconds(1);
/// Of one link, unread. A worker that is well has no more to say at once than that it asks for a
/// task, keeps a checkpoint and ends a task in each of its slots, and a few heartbeats.
constexpr std::size_t kMostWaiting = std::size_t{4} * kMaxSlots;

/// The part of a task that a checkpoint leaves to be done, as far as it can be told.
double left_of(const Claim& claim) {
    const auto steps = claim.job->spec.render.steps;
    if (!claim.checkpoint || !steps || *steps <= 0) {
        return 1.0;
    }
    return std::clamp(1.0 - static_cast<double>(claim.checkpoint->step) / *steps, 0.05, 1.0);
}

ReadyTask ready_task_of(const Claim& claim) {
    ReadyTask task;
    task.id = claim.task;
    task.kind = claim.plan.kind;
    task.tenant = claim.job->spec.tenant;
    task.affinity = claim.job->affinity;
    task.priority = claim.job->spec.priority;
    task.cost = claim.plan.cost;
    task.deadline = claim.job->spec.deadline;
    return task;
}

LostClaim lost_claim_of(const Claim& claim) {
    return {claim.task, claim.epoch, claim.plan.kind};
}

}  // namespace

Dispatcher::Dispatcher(
    DispatcherOptions options, TaskQueue& queue, const Clock& clock, Entropy& entropy
)
    : options_(std::move(options)),
      metrics_(*options_.metrics),
      queue_(queue),
      clock_(clock),
      scheduler_(options_.scheduler, entropy),
      now_(clock.now()) {
    watch_ = queue_.watch([this](const QueueEvent& event) { leave(event); });
    measured_ = options_.metrics->collect([this](MetricWriter& writer) {
        write_metrics(*this, clock_.now(), writer);
    });
}

Dispatcher::~Dispatcher() {
    stop();
}

void Dispatcher::stop() {
    watch_.reset();
    thread_ = {};
    const std::lock_guard lock(mutex_);
    for (auto& [id, worker] : workers_) {
        if (worker.link) {
            worker.link->send(Goodbye{"the server stops", true});
            worker.link->close("the server stops");
        }
    }
}

void Dispatcher::start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const Instant next = step();
            std::unique_lock lock(inbox_mutex_);
            inbox_changed_.wait_for(lock, stop, next - clock_.now(), [&] {
                return !inbox_.empty();
            });
        }
    });
}

void Dispatcher::leave(Note note) {
    const std::lock_guard lock(inbox_mutex_);
    inbox_.push_back(std::move(note));
    inbox_changed_.notify_one();
}

LinkId Dispatcher::link_opened(std::shared_ptr<WorkerLink> link) {
    const std::lock_guard lock(inbox_mutex_);
    const LinkId id = next_link_++;
    inbox_.emplace_back(LinkOpened{id, std::move(link)});
    inbox_changed_.notify_one();
    return id;
}

void Dispatcher::link_message(LinkId link, WorkerMessage message) {
    const std::lock_guard lock(inbox_mutex_);
    std::size_t& waiting = waiting_[link];
    if (waiting > kMostWaiting) {
        return;
    }
    if (++waiting > kMostWaiting) {
        inbox_.emplace_back(LinkFlooded{link});
    } else {
        inbox_.emplace_back(LinkSaid{link, std::move(message)});
    }
    inbox_changed_.notify_one();
}

void Dispatcher::link_closed(LinkId link) {
    leave(LinkClosed{link});
}

void Dispatcher::read_notes() {
    std::deque<Note> notes;
    {
        const std::lock_guard lock(inbox_mutex_);
        notes.swap(inbox_);
        waiting_.clear();
    }
    const std::lock_guard lock(mutex_);
    now_ = clock_.now();
    for (Note& note : notes) {
        std::visit([this](auto& what) { handle(what); }, note);
    }
}

Instant Dispatcher::step() {
    // What workers said comes before the time that may have run out for them.
    read_notes();
    const auto next_of_queue = queue_.tick();
    read_notes();
    const std::lock_guard lock(mutex_);
    check_workers();
    assign_all();
    Instant next = now_ + kLongestSleep;
    for (const auto& moment : {next_of_queue, scheduler_.ask_again()}) {
        next = moment ? std::min(next, *moment) : next;
    }
    for (const auto& [id, worker] : workers_) {
        if (!worker.link) {
            next = std::min(next, worker.gone_since + options_.link_grace);
        }
    }
    return next;
}

void Dispatcher::handle(QueueEvent& event) {
    switch (event.kind) {
        case QueueEvent::Kind::kTaskReady:
            scheduler_.task_ready(*event.ready, now_, clock_.wall());
            break;
        case QueueEvent::Kind::kTaskReturned:
        case QueueEvent::Kind::kTaskDead:
        case QueueEvent::Kind::kTaskCancelled: {
            // A lease that ran out, a cancelled job: whoever holds it is to stop at once.
            if (Worker* worker = find_holder(event.task)) {
                const HeldByWorker& held = worker->held.at(event.task);
                if (!held.ended && worker->link) {
                    worker->link->send(CancelTask{event.task, held.claim->epoch});
                }
                if (!held.ended) {
                    const bool lost = event.kind == QueueEvent::Kind::kTaskReturned;
                    if (lost) {
                        worker->taken.push_back(lost_claim_of(*held.claim));
                    }
                    end_task(
                        *worker,
                        event.task,
                        held.claim->epoch,
                        lost ? TaskOutcome::kLost : TaskOutcome::kCancelled
                    );
                    worker->held.erase(event.task);
                }
            }
            scheduler_.task_gone(event.task, now_);
            break;
        }
        case QueueEvent::Kind::kTaskDone:
            scheduler_.task_gone(event.task, now_);
            break;
        default:
            break;
    }
}

void Dispatcher::handle(LinkOpened& opened) {
    strangers_.emplace(opened.link, std::move(opened.way));
}

void Dispatcher::handle(LinkSaid& said) {
    if (const auto stranger = strangers_.find(said.link); stranger != strangers_.end()) {
        if (auto* hello = std::get_if<WorkerHello>(&said.message)) {
            welcome(said.link, std::move(*hello));
        } else {
            stranger->second->send(Goodbye{"the first message must be a hello", false});
            stranger->second->close("no hello");
            strangers_.erase(stranger);
        }
        return;
    }
    const auto link = links_.find(said.link);
    if (link == links_.end()) {
        return;
    }
    Worker& worker = workers_.at(link->second);
    worker.last_beat = now_;
    worker.taken.clear();
    if (worker.silent) {
        worker.silent = false;
        scheduler_.worker_silent(worker.hello.worker, false);
    }
    std::visit([&](auto& message) { hear(worker, message); }, said.message);
}

void Dispatcher::handle(const LinkFlooded& flooded) {
    std::shared_ptr<WorkerLink> way;
    std::string who = "a stranger";
    if (const auto stranger = strangers_.find(flooded.link); stranger != strangers_.end()) {
        way = stranger->second;
    } else if (const auto link = links_.find(flooded.link); link != links_.end()) {
        way = workers_.at(link->second).link;
        who = "worker " + link->second.value;
    } else {
        return;
    }
    const std::string reason = fmt::format("more than {} messages wait to be read", kMostWaiting);
    options_.say(fmt::format("the link of {} is closed: {}", who, reason));
    way->send(Goodbye{reason, true});
    way->close(reason);
    handle(LinkClosed{flooded.link});
}

void Dispatcher::handle(const LinkClosed& closed) {
    strangers_.erase(closed.link);
    const auto link = links_.find(closed.link);
    if (link == links_.end()) {
        return;
    }
    Worker& worker = workers_.at(link->second);
    const WorkerId id = link->second;
    links_.erase(link);
    worker.link.reset();
    worker.gone_since = now_;
    scheduler_.worker_left(id);
    if (worker.held.empty() && worker.taken.empty()) {
        workers_.erase(id);
    }
}

void Dispatcher::handle(const Settled& settled) {
    const auto found = workers_.find(settled.worker);
    if (found == workers_.end()) {
        return;
    }
    Worker& worker = found->second;
    const auto held = worker.held.find(settled.answer.task);
    if (held != worker.held.end() && held->second.claim->epoch == settled.answer.epoch) {
        worker.held.erase(held);
    }
    if (worker.link) {
        worker.link->send(settled.answer);
    }
}

void Dispatcher::handle(const DrainWorker& order) {
    const auto found = workers_.find(order.worker);
    if (found != workers_.end() && found->second.link) {
        scheduler_.worker_draining(order.worker);
        found->second.link->send(DrainOrder{"an administrator drains this worker"});
    }
}

void Dispatcher::welcome(LinkId link, WorkerHello hello) {
    std::shared_ptr<WorkerLink> way = std::move(strangers_.at(link));
    strangers_.erase(link);
    if (hello.version != kLinkVersion) {
        way->send(Goodbye{
            fmt::format(
                "this server speaks version {} of the workers' protocol, the worker {}: install "
                "the same Tessera on both",
                kLinkVersion,
                hello.version
            ),
            false});
        way->close("another version");
        return;
    }
    bury_predecessor(hello);
    const WorkerId id = hello.worker;
    Worker& worker = workers_[id];
    if (worker.link) {
        // It came back before we noticed that it had gone.
        worker.link->close("the worker has a newer link");
        links_.erase(worker.link_id);
    }
    scheduler_.worker_left(id);
    worker.link = std::move(way);
    worker.link_id = link;
    worker.since = worker.since == Instant{} ? now_ : worker.since;
    worker.last_beat = now_;
    worker.silent = false;
    worker.taken.clear();
    (void)lost_.take(id, now_);
    links_[link] = id;
    scheduler_.worker_joined(
        {id, hello.node, hello.fingerprint, hello.slots, hello.models, hello.predecessor}
    );
    const std::vector<HeldTask> holds = std::exchange(hello.holds, {});
    worker.hello = std::move(hello);
    ServerHello answer;
    answer.incarnation = queue_.incarnation();
    answer.heartbeat_seconds = seconds_of(options_.heartbeat);
    answer.lease_seconds = seconds_of(options_.lease);
    answer.kept = readopt(worker, holds);
    worker.link->send(std::move(answer));
}

void Dispatcher::bury_predecessor(const WorkerHello& hello) {
    const WorkerId& gone = hello.predecessor;
    if (gone.value.empty()) {
        return;
    }
    const std::string reason = "the worker process ended";
    const bool was_here = workers_.contains(gone);
    const auto unended = was_here ? part_with(gone, reason) : lost_.take(gone, now_);
    if (was_here || unended.empty()) {
        metrics_.workers_lost.add();  // else it was counted when it was lost
    }
    if (!hello.predecessor_crash.empty()) {
        std::set<TaskKind> kinds;
        for (const LostClaim& claim : unended) {
            TaskFailure failure;
            failure.message = "the worker process crashed: " + hello.predecessor_crash;
            // Refused for a task that somebody else has by now.
            queue_.fail(claim.task, claim.epoch, std::move(failure), [](const auto&) {});
            kinds.insert(claim.kind);
        }
        // It crashed once, however many tasks it held.
        for (const TaskKind kind : kinds) {
            scheduler_.worker_failed(gone, kind);
        }
    }
    queue_.lose_worker(gone, reason);
}

std::vector<HeldTask> Dispatcher::readopt(Worker& worker, const std::vector<HeldTask>& holds) {
    std::vector<HeldTask> kept;
    std::map<TaskId, HeldByWorker> held;
    for (const HeldTask& one : holds) {
        auto claim = queue_.readopt(one.task, one.epoch, worker.hello.worker, options_.lease);
        if (!claim) {
            continue;
        }
        HeldByWorker entry;
        if (const auto before = worker.held.find(one.task); before != worker.held.end()) {
            entry = std::move(before->second);
            worker.held.erase(before);
        }
        entry.since = entry.since == Instant{} ? now_ : entry.since;
        entry.lease_ends = claim->lease_ends;
        entry.claim = std::make_shared<const Claim>(*std::move(claim));
        if (!entry.ended) {
            scheduler_.task_held(
                ready_task_of(*entry.claim), worker.hello.worker, now_, clock_.wall()
            );
        }
        held.emplace(one.task, std::move(entry));
        kept.push_back(one);
    }
    // What it was given and does not know never reached it.
    for (const auto& [task, entry] : worker.held) {
        if (!entry.ended) {
            TaskFailure failure;
            failure.fault = FaultKind::kInfrastructure;
            failure.message = "the task did not reach the worker";
            queue_.fail(task, entry.claim->epoch, std::move(failure), [](const auto&) {});
        }
    }
    worker.held = std::move(held);
    return kept;
}

void Dispatcher::hear(Worker& worker, WorkerReady& ready) {
    scheduler_.worker_credit(worker.hello.worker, ready.slots);
}

void Dispatcher::hear(Worker& worker, Heartbeat& beat) {
    worker.memory_bytes = beat.memory_bytes;
    scheduler_.worker_models(worker.hello.worker, beat.models);
    HeartbeatAnswer answer;
    answer.number = beat.number;
    for (TaskBeat& line : beat.tasks) {
        const auto held = worker.held.find(line.task);
        if (held == worker.held.end() || held->second.claim->epoch != line.epoch) {
            // It was taken from this worker; renewing would take it from whoever has it next.
            answer.tasks.push_back({line.task, line.epoch, TaskOrder::kDrop});
            continue;
        }
        if (now_ >= held->second.lease_ends) {
            continue;  // too late: the queue is giving it back, and will say so
        }
        held->second.lease_ends = now_ + options_.lease;
        const RenewAnswer renewed =
            queue_.renew({line.task, line.epoch, line.progress}, options_.lease);
        if (held->second.ended) {
            continue;  // how it ended is being written down
        }
        if (renewed != RenewAnswer::kGoOn) {
            const bool cancelled = renewed == RenewAnswer::kCancelled;
            answer.tasks.push_back(
                {line.task, line.epoch, cancelled ? TaskOrder::kCancel : TaskOrder::kDrop}
            );
            continue;
        }
        held->second.progress = line.progress;
        scheduler_.task_progress(line.task, line.progress, now_);
        if (!line.preview.empty() && options_.on_preview) {
            options_.on_preview(*held->second.claim, line.progress, line.preview);
        }
    }
    worker.link->send(std::move(answer));
}

void Dispatcher::hear(Worker& worker, TaskCheckpointed& kept) {
    const Status noted = queue_.checkpoint(kept.task, kept.epoch, std::move(kept.checkpoint));
    if (!noted && worker.link) {
        worker.link->send(CancelTask{kept.task, kept.epoch});
    }
}

Done<void> Dispatcher::settle(const Worker& worker, const TaskId& task, Epoch epoch) {
    return [this, id = worker.hello.worker, task, epoch](const Status& status) {
        const bool stale = !status && status.error().kind == ErrorKind::kConflict;
        if (stale) {
            metrics_.stale_commits.add();
        }
        if (!status && !stale) {
            // The disk is full or away: the worker keeps the result and tells it again.
            options_.say("cannot keep how a task ended: " + status.error().message);
            return;
        }
        leave(Settled{
            id, TaskSettled{task, epoch, status.has_value(), stale ? status.error().message : ""}});
    };
}

bool Dispatcher::end_task(Worker& worker, const TaskId& task, Epoch epoch, TaskOutcome outcome) {
    const auto held = worker.held.find(task);
    if (held == worker.held.end() || held->second.ended || held->second.claim->epoch != epoch) {
        return false;
    }
    held->second.ended = true;
    const Duration took = now_ - held->second.since;
    worker.busy += took;
    if (outcome == TaskOutcome::kDone && held->second.expected_seconds > 0.0) {
        metrics_.estimate_ratio.observe(seconds_of(took) / held->second.expected_seconds);
    }
    scheduler_.task_ended(task, worker.hello.worker, outcome, seconds_of(took), now_);
    return true;
}

void Dispatcher::hear(Worker& worker, TaskCompleted& done) {
    const std::string& sha256 = done.result.object.sha256;
    if (options_.has_object && !options_.has_object(sha256)) {
        TaskFailed failed{done.task, done.epoch, {}};
        failed.failure.fault = FaultKind::kInfrastructure;
        failed.failure.message = fmt::format("the result {} is not in the store", sha256);
        hear(worker, failed);
        return;
    }
    worker.done += end_task(worker, done.task, done.epoch, TaskOutcome::kDone) ? 1 : 0;
    queue_.complete(
        done.task, done.epoch, std::move(done.result), settle(worker, done.task, done.epoch)
    );
}

void Dispatcher::hear(Worker& worker, TaskFailed& failed) {
    const bool own = failed.failure.fault == FaultKind::kTask;
    const auto outcome = own ? TaskOutcome::kOwnFault : TaskOutcome::kLost;
    worker.failed += end_task(worker, failed.task, failed.epoch, outcome) ? 1 : 0;
    worker.last_error = failed.failure.message;
    queue_.fail(
        failed.task,
        failed.epoch,
        std::move(failed.failure),
        settle(worker, failed.task, failed.epoch)
    );
}

void Dispatcher::hear(Worker& /*worker*/, MetricReport& report) {
    for (const MetricChange& change : report.changes) {
        if (const MetricFamily* family = metric::of_workers(change.name)) {
            (void)options_.metrics->apply(*family, change);  // what makes no sense is dropped
        }
    }
}

void Dispatcher::hear(Worker& worker, LogReport& report) {
    for (LogRecord& record : report.records) {
        if (options_.on_log) {
            record.worker = worker.hello.worker.value;
            options_.on_log(std::move(record));
        }
    }
}

void Dispatcher::hear(Worker& worker, WorkerLeaving& /*leaving*/) {
    scheduler_.worker_draining(worker.hello.worker);
}

void Dispatcher::hear(Worker& worker, WorkerHello& /*hello*/) {
    worker.link->send(Goodbye{"a second hello on one link", true});
    worker.link->close("a second hello");
}

void Dispatcher::lose(const WorkerId& id, const std::string& reason) {
    metrics_.workers_lost.add();
    lost_.keep(id, part_with(id, reason), now_);
    queue_.lose_worker(id, reason);
}

std::vector<LostClaim> Dispatcher::part_with(const WorkerId& id, const std::string& reason) {
    Worker worker = std::move(workers_.extract(id).mapped());
    if (worker.link) {
        worker.link->close(reason);
        links_.erase(worker.link_id);
    }
    scheduler_.worker_left(id);
    std::vector<LostClaim> unended = std::move(worker.taken);
    for (const auto& [task, held] : worker.held) {
        if (!held.ended) {
            unended.push_back(lost_claim_of(*held.claim));
        }
    }
    return unended;
}

void Dispatcher::check_workers() {
    std::vector<WorkerId> lost;
    for (auto& [id, worker] : workers_) {
        if (!worker.link) {
            if (now_ >= worker.gone_since + options_.link_grace) {
                lost.push_back(id);
            }
            continue;
        }
        const Duration quiet = now_ - worker.last_beat;
        if (quiet > options_.heartbeat * kLostBeats && quiet > options_.lease) {
            lost.push_back(id);
        } else if (quiet > options_.heartbeat * kSilentBeats && !worker.silent) {
            worker.silent = true;
            scheduler_.worker_silent(id, true);
        }
    }
    for (const WorkerId& id : lost) {
        options_.say(fmt::format("worker {} is lost", id.value));
        lose(id, "the link to the worker broke");
    }
}

void Dispatcher::assign_all() {
    while (true) {
        const auto begun = std::chrono::steady_clock::now();
        const auto assignment = scheduler_.next(now_);
        if (!assignment) {
            return;
        }
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
        metrics_.decision.observe(took.count());
        assign(*assignment);
    }
}

void Dispatcher::assign(const Assignment& assignment) {
    const auto found = workers_.find(assignment.worker);
    if (found == workers_.end() || !found->second.link) {
        scheduler_.assignment_failed(assignment.task, true);
        scheduler_.worker_left(assignment.worker);
        return;
    }
    Worker& worker = found->second;
    auto claim = queue_.claim(assignment.task, assignment.worker, options_.lease);
    if (!claim) {
        scheduler_.assignment_failed(assignment.task, false);
        return;
    }
    HeldByWorker held;
    held.lease_ends = claim->lease_ends;
    held.claim = std::make_shared<const Claim>(*std::move(claim));
    held.since = now_;
    held.expected_seconds =
        scheduler_.task_started(assignment.task, assignment.worker, now_, left_of(*held.claim));
    const AssignTask message = message_for(*held.claim);
    worker.held.insert_or_assign(assignment.task, std::move(held));
    if (!worker.link->send(message)) {
        // Its end will be noticed; what it held comes back then.
        worker.link->close("the worker does not read");
    }
}

AssignTask Dispatcher::message_for(const Claim& claim) const {
    AssignTask message;
    message.task = claim.task;
    message.epoch = claim.epoch;
    message.attempt = claim.attempt;
    message.plan = claim.plan;
    message.unit = claim.unit;
    message.spec = encode(claim.job->spec);
    message.recipe = claim.job->recipe;
    message.affinity = claim.job->affinity;
    message.inputs = claim.inputs;
    for (const int need : claim.plan.needs) {
        const TaskPlan& needed = claim.job->tasks[static_cast<std::size_t>(need)];
        message.input_units.push_back(claim.job->units[static_cast<std::size_t>(needed.unit)]);
    }
    message.checkpoint = claim.checkpoint;
    message.object_token = options_.object_token ? options_.object_token(claim) : "";
    const std::string& caller = claim.job->spec.traceparent;
    message.traceparent =
        to_traceparent(attempt_context(claim.task.job, caller, claim.task.index, claim.epoch.value)
        );
    return message;
}

Dispatcher::Worker* Dispatcher::find_holder(const TaskId& task) {
    for (auto& [id, worker] : workers_) {
        if (worker.held.contains(task)) {
            return &worker;
        }
    }
    return nullptr;
}

Status Dispatcher::drain(const WorkerId& worker) {
    {
        const std::lock_guard lock(mutex_);
        if (!workers_.contains(worker)) {
            return fail(ErrorKind::kNotFound, "no worker {} is connected", worker.value);
        }
    }
    leave(DrainWorker{worker});
    return {};
}

std::vector<ConnectedWorker> Dispatcher::workers() const {
    const std::lock_guard lock(mutex_);
    std::vector<ConnectedWorker> all;
    for (WorkerView& view : scheduler_.workers()) {
        const auto found = workers_.find(view.id);
        if (found == workers_.end()) {
            continue;
        }
        const Worker& worker = found->second;
        ConnectedWorker one;
        one.view = std::move(view);
        one.program = worker.hello.program;
        one.metrics_address = worker.hello.metrics_address;
        one.since = worker.since;
        one.last_beat = worker.last_beat;
        one.memory_bytes = worker.memory_bytes;
        one.silent = worker.silent;
        for (const auto& [task, held] : worker.held) {
            if (!held.ended) {
                one.tasks.push_back({task, held.progress, held.since});
                one.busy += std::max(Duration::zero(), clock_.now() - held.since);
            }
        }
        one.busy += worker.busy;
        one.done = worker.done;
        one.failed = worker.failed;
        one.last_error = worker.last_error;
        all.push_back(std::move(one));
    }
    return all;
}

std::vector<WaitingLine> Dispatcher::waiting() const {
    const std::lock_guard lock(mutex_);
    return scheduler_.waiting(clock_.now());
}

std::optional<Outlook> Dispatcher::outlook(const JobId& job) const {
    const std::lock_guard lock(mutex_);
    return scheduler_.outlook(job, clock_.now());
}

double Dispatcher::backlog_seconds() const {
    const std::lock_guard lock(mutex_);
    return scheduler_.backlog_seconds(clock_.now());
}

Duration Dispatcher::retry_after() const {
    const std::lock_guard lock(mutex_);
    return scheduler_.retry_after(clock_.now());
}

}  // namespace tessera
