// Random histories, with restarts, crashes, jumps of time, stale epochs and things said twice,
// against a model that says in a page what a queue is.
#include "queue/conformance_test.h"
#include "queue/faulty_disk_test.h"
#include "queue/sqlite_task_queue.h"
#include "queue/temporary_folder_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>

namespace tessera {
namespace {

constexpr Duration kLease = std::chrono::seconds(30);

struct ModelTask {
    TaskState state = TaskState::kReady;
    Epoch epoch;
    bool is_reported = false;
    int own_failures = 0;
    int losses = 0;
    Instant lease;
    std::string worker;
    unsigned result = 0;
};

struct ModelJob {
    std::vector<std::vector<int>> needs;
    std::vector<ModelTask> tasks;
    bool is_begun = false;

    [[nodiscard]] bool is_over() const {
        return std::ranges::all_of(tasks, [](const ModelTask& t) { return is_final(t.state); });
    }
    [[nodiscard]] JobState state() const {
        const auto has = [&](TaskState state) {
            return std::ranges::any_of(tasks, [&](const ModelTask& t) { return t.state == state; });
        };
        if (!is_over()) {
            return is_begun ? JobState::kRunning : JobState::kQueued;
        }
        return has(TaskState::kCancelled) ? JobState::kCancelled
               : has(TaskState::kDead)    ? JobState::kFailed
                                          : JobState::kDone;
    }
    void settle_needs() {
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            const auto all = [&](TaskState state) {
                return std::ranges::all_of(needs[i], [&](int need) {
                    return tasks[static_cast<std::size_t>(need)].state == state;
                });
            };
            const auto any_dead = std::ranges::any_of(needs[i], [&](int need) {
                return tasks[static_cast<std::size_t>(need)].state == TaskState::kDead;
            });
            if (tasks[i].state == TaskState::kBlocked && any_dead) {
                tasks[i].state = TaskState::kDead;
            } else if (tasks[i].state == TaskState::kBlocked && all(TaskState::kDone)) {
                tasks[i].state = TaskState::kReady;
            }
        }
    }
};

using Model = std::map<JobId, ModelJob>;

/// The queue and the model, side by side.
class History {
  public:
    History() { open(std::make_unique<FaultyDisk>()); }

    void step(unsigned command, unsigned a, unsigned b) {
        switch (command % 16) {
            case 0:
            case 1:
                enqueue(a);
                break;
            case 2:
            case 3:
            case 4:
                claim(a, b);
                break;
            case 5:
            case 6:
                complete(a, b);
                break;
            case 7:
            case 8:
                fail_task(a, b);
                break;
            case 9:
                renew(a, b);
                break;
            case 10:
                cancel(a);
                break;
            case 11:
                retry(a);
                break;
            case 12:
                remove(a);
                break;
            case 13:
                pass(std::chrono::seconds(a % 40));
                break;
            case 14:
                lose_worker(a);
                break;
            default:
                restart(a % 2 == 0);
                break;
        }
        compare(pick_job(a));
        if (command % 16 == 15) {
            compare();
        }
    }

    /// All of it; `step` looks at one job each time.
    void compare() const {
        for (const auto& [id, job] : model_) {
            compare(id);
        }
    }

  private:
    void open(std::unique_ptr<FaultyDisk> disk) {
        queue_.reset();
        disk_ = std::move(disk);
        SqliteQueueOptions options;
        options.path = folder_.path() / "queue.db";
        options.background = false;
        options.vfs = disk_->vfs();
        options.grace = kLease;
        options.retry.first_pause = Duration::zero();
        options.retry.infrastructure_losses = 4;
        options.checkpoint_pages = 20;
        queue_ = SqliteTaskQueue::open(options, clock_, entropy_).value();
    }

    template <class T>
    Result<T> answer(const std::function<void(Done<T>)>& ask) {
        Result<T> answer = fail(ErrorKind::kInternal, "not answered");
        ask([&](Result<T> given) { answer = std::move(given); });
        queue_->flush();
        return answer;
    }

    // Picks; nothing where there is nothing to pick from.
    [[nodiscard]] std::optional<JobId> pick_job(unsigned a) const {
        if (model_.empty()) {
            return std::nullopt;
        }
        return std::next(model_.begin(), a % static_cast<unsigned>(model_.size()))->first;
    }
    [[nodiscard]] std::optional<TaskId> pick_task(unsigned a) const {
        const auto job = pick_job(a);
        if (!job) {
            return std::nullopt;
        }
        const auto size = static_cast<unsigned>(model_.at(*job).tasks.size());
        return TaskId{*job, static_cast<int>((a / 7) % size)};
    }
    /// The task's last epoch, an older one, or one that it never had.
    [[nodiscard]] Epoch pick_epoch(const TaskId& id, unsigned b) const {
        const auto given = given_.find(id);
        if (given == given_.end() || b % 16 == 15) {
            return {b};
        }
        const auto& epochs = given->second;
        return b % 4 != 3 ? epochs.back() : epochs[b % epochs.size()];
    }
    [[nodiscard]] ModelTask& task(const TaskId& id) {
        return model_.at(id.job).tasks[static_cast<std::size_t>(id.index)];
    }
    [[nodiscard]] bool may_speak(const ModelTask& task, Epoch epoch) const {
        if (is_final(task.state) || task.state == TaskState::kBlocked || epoch.incarnation() == 0) {
            return false;
        }
        const auto now = queue_->incarnation();
        return epoch == task.epoch ? !task.is_reported
                                   : epoch > task.epoch && epoch.incarnation() < now &&
                                         task.epoch.incarnation() < now;
    }
    void begin(const TaskId& id, Epoch epoch) {
        ModelTask& begun = task(id);
        begun.state = TaskState::kRunning;
        begun.epoch = epoch;
        begun.is_reported = false;
        model_.at(id.job).is_begun = true;
    }
    void give_back(ModelTask& lost) {
        ++lost.losses;
        lost.state = lost.losses >= 4 ? TaskState::kDead : TaskState::kReady;
    }
    void settle_all() {
        for (auto& [id, job] : model_) {
            job.settle_needs();
        }
    }

    void enqueue(unsigned a) {
        if (model_.size() >= 4) {
            return;
        }
        static const std::vector<std::vector<std::vector<int>>> kShapes = {
            {{}}, {{}, {}}, {{}, {0}}, {{}, {}, {0, 1}}, {{}, {0}, {1}}};
        clock_.advance(std::chrono::milliseconds(1));
        const JobId id{new_ulid(clock_.wall(), ids_)};
        ModelJob job;
        job.needs = kShapes[a % kShapes.size()];
        job.tasks.resize(job.needs.size());
        for (std::size_t i = 0; i < job.needs.size(); ++i) {
            job.tasks[i].state = job.needs[i].empty() ? TaskState::kReady : TaskState::kBlocked;
        }
        RC_ASSERT(answer<Enqueued>([&](auto done) {
                      queue_->enqueue(id, test_plan(job.needs), done);
                  }).has_value());
        model_[id] = std::move(job);
        durable_ = model_;
    }
    void claim(unsigned a, unsigned b) {
        const auto id = pick_task(a);
        if (!id) {
            return;
        }
        const std::string worker = "w" + std::to_string(b % 3);
        const auto claim = queue_->claim(*id, {worker}, kLease);
        RC_ASSERT(claim.has_value() == (task(*id).state == TaskState::kReady));
        if (claim) {
            for (const Epoch given : given_[*id]) {
                RC_ASSERT(claim->epoch > given);
            }
            begin(*id, claim->epoch);
            task(*id).worker = worker;
            task(*id).lease = clock_.now() + kLease;
            given_[*id].push_back(claim->epoch);
        }
    }
    void complete(unsigned a, unsigned b) {
        const auto id = pick_task(a);
        if (!id) {
            return;
        }
        const Epoch epoch = pick_epoch(*id, b);
        ModelTask& target = task(*id);
        const unsigned result = 1 + b % 2;
        const bool is_said_again =
            target.state == TaskState::kDone && target.epoch == epoch && target.result == result;
        const bool is_fine = is_said_again || may_speak(target, epoch);
        const auto done = answer<void>([&](auto given) {
            queue_->complete(*id, epoch, test_result(result), given);
        });
        RC_ASSERT(done.has_value() == is_fine);
        if (is_fine && !is_said_again) {
            begin(*id, epoch);
            target.state = TaskState::kDone;
            target.result = result;
            settle_all();
        }
        durable_ = model_;
    }
    void fail_task(unsigned a, unsigned b) {
        const auto id = pick_task(a);
        if (!id) {
            return;
        }
        const Epoch epoch = pick_epoch(*id, b);
        ModelTask& target = task(*id);
        TaskFailure failure = b % 3 == 0 ? infrastructure_failure() : own_failure();
        failure.retryable = b % 5 != 0;
        const bool is_said_again =
            epoch.incarnation() != 0 && target.epoch == epoch && target.is_reported;
        const bool is_fine = is_said_again || may_speak(target, epoch);
        const bool was_lost = target.state != TaskState::kRunning && target.epoch == epoch;
        const auto done =
            answer<void>([&](auto given) { queue_->fail(*id, epoch, failure, given); });
        RC_ASSERT(done.has_value() == is_fine);
        if (is_fine && !is_said_again) {
            if (was_lost && failure.fault == FaultKind::kInfrastructure) {
                target.is_reported = true;
            } else {
                begin(*id, epoch);
                target.is_reported = true;
                (failure.fault == FaultKind::kTask ? target.own_failures : target.losses) += 1;
                target.state = !failure.retryable || target.own_failures >= 3 || target.losses >= 4
                                   ? TaskState::kDead
                                   : TaskState::kReady;
                settle_all();
            }
        }
        durable_ = model_;
    }
    void renew(unsigned a, unsigned b) {
        const auto id = pick_task(a);
        if (!id) {
            return;
        }
        const Epoch epoch = pick_epoch(*id, b);
        const auto answer = queue_->renew({*id, epoch, {}}, kLease);
        RC_ASSERT((answer == RenewAnswer::kGoOn) == may_speak(task(*id), epoch));
        if (answer == RenewAnswer::kGoOn) {
            begin(*id, epoch);
            task(*id).lease = clock_.now() + kLease;
        }
    }
    void cancel(unsigned a) {
        const auto id = pick_job(a);
        if (!id) {
            return;
        }
        ModelJob& job = model_.at(*id);
        const bool is_fine = !job.is_over() || job.state() == JobState::kCancelled;
        RC_ASSERT(answer<void>([&](auto done) {
                      queue_->cancel(*id, done);
                  }).has_value() == is_fine);
        for (ModelTask& cancelled : job.tasks) {
            if (!is_final(cancelled.state)) {
                cancelled.state = TaskState::kCancelled;
            }
        }
        durable_ = model_;
    }
    void retry(unsigned a) {
        const auto id = pick_job(a);
        if (!id) {
            return;
        }
        ModelJob& job = model_.at(*id);
        const bool was_over = job.is_over();
        std::set<std::size_t> revived;
        for (std::size_t i = 0; i < job.tasks.size(); ++i) {
            const bool needs_revived = std::ranges::any_of(job.needs[i], [&](int need) {
                return revived.contains(static_cast<std::size_t>(need));
            });
            if (job.tasks[i].state == TaskState::kDead ||
                (job.tasks[i].state == TaskState::kCancelled && needs_revived)) {
                revived.insert(i);
            }
        }
        RC_ASSERT(answer<void>([&](auto done) {
                      queue_->retry(*id, done);
                  }).has_value() == !revived.empty());
        durable_ = model_;
        if (revived.empty()) {
            return;
        }
        for (std::size_t i = job.tasks.size(); i-- > 0;) {
            for (const int need : job.needs[i]) {
                if (revived.contains(i) &&
                    job.tasks[static_cast<std::size_t>(need)].state == TaskState::kCancelled) {
                    revived.insert(static_cast<std::size_t>(need));
                }
            }
        }
        for (const std::size_t i : revived) {
            job.tasks[i] = ModelTask();
            job.tasks[i].state = TaskState::kBlocked;
            // Its new epoch is nobody's, and larger than all before.
            job.tasks[i].epoch = {(std::uint64_t{queue_->incarnation()} << 32U) | 0xffffffffU};
        }
        job.is_begun = job.is_begun && !was_over;
        job.settle_needs();
        durable_ = model_;
    }
    void remove(unsigned a) {
        const auto id = pick_job(a);
        if (!id) {
            return;
        }
        const bool is_fine = model_.at(*id).is_over();
        RC_ASSERT(answer<void>([&](auto done) {
                      queue_->remove(*id, done);
                  }).has_value() == is_fine);
        if (is_fine) {
            model_.erase(*id);
            RC_ASSERT(!queue_->job(*id).has_value());
        }
        durable_ = model_;
    }
    void pass(Duration time) {
        clock_.advance(time);
        queue_->tick();
        queue_->flush();
        for (auto& [id, job] : model_) {
            for (ModelTask& running : job.tasks) {
                if (running.state == TaskState::kRunning && running.lease <= clock_.now()) {
                    give_back(running);
                }
            }
        }
        settle_all();
        durable_ = model_;
    }
    void lose_worker(unsigned a) {
        const std::string worker = "w" + std::to_string(a % 3);
        queue_->lose_worker({worker}, "gone");
        queue_->flush();
        for (auto& [id, job] : model_) {
            for (ModelTask& running : job.tasks) {
                if (running.state == TaskState::kRunning && running.worker == worker) {
                    give_back(running);
                }
            }
        }
        settle_all();
        durable_ = model_;
    }
    void restart(bool in_order) {
        if (in_order) {
            queue_->flush();
            durable_ = model_;
        }
        queue_.reset();
        open(std::make_unique<FaultyDisk>(disk_->after_power_cut(disk_->steps(), [] { return 0U; }))
        );
        model_ = durable_;
        for (auto& [id, job] : model_) {
            for (ModelTask& running : job.tasks) {
                running.lease = clock_.now() + kLease;
            }
        }
    }

    void compare(const std::optional<JobId>& looked_at) const {
        QueueCounts counts;
        for (const auto& [id, expected] : model_) {
            for (const ModelTask& task : expected.tasks) {
                counts.ready += task.state == TaskState::kReady ? 1U : 0U;
                counts.blocked += task.state == TaskState::kBlocked ? 1U : 0U;
                counts.running += task.state == TaskState::kRunning ? 1U : 0U;
            }
        }
        const QueueCounts actual = queue_->counts("");
        RC_ASSERT(actual.ready == counts.ready);
        RC_ASSERT(actual.blocked == counts.blocked);
        RC_ASSERT(actual.running == counts.running);
        RC_ASSERT(actual.waiting_cost == 2.0 * static_cast<double>(counts.ready + counts.blocked));
        if (!looked_at) {
            return;
        }
        const auto job = queue_->job(*looked_at);
        RC_ASSERT(job.has_value());
        const ModelJob& expected = model_.at(*looked_at);
        RC_ASSERT(job->state == expected.state());
        RC_ASSERT(job->ended.has_value() == expected.is_over());
        for (std::size_t i = 0; i < expected.tasks.size(); ++i) {
            const TaskView& task = job->tasks[i];
            const ModelTask& model = expected.tasks[i];
            RC_ASSERT(task.state == model.state);
            RC_ASSERT(task.own_failures == model.own_failures);
            RC_ASSERT(task.infrastructure_losses == model.losses);
            RC_ASSERT(
                task.result == (model.state == TaskState::kDone
                                    ? std::optional(test_result(model.result))
                                    : std::nullopt)
            );
        }
    }

    TemporaryFolder folder_;
    ManualClock clock_;
    SeededEntropy entropy_{1};
    SeededEntropy ids_{2};
    std::unique_ptr<FaultyDisk> disk_;
    std::unique_ptr<SqliteTaskQueue> queue_;
    Model model_;
    Model durable_;
    std::map<TaskId, std::vector<Epoch>> given_;
};

TEST(QueueModel, TheQueueDoesWhatTheModelDoes) {
    using Step = std::tuple<std::uint8_t, std::uint8_t, std::uint8_t>;
    EXPECT_TRUE(rc::check([] {
        const auto steps = *rc::gen::arbitrary<std::vector<Step>>();
        History history;
        for (const auto& [command, a, b] : steps) {
            history.step(command, a, b);
        }
        history.compare();
    }));
}

}  // namespace
}  // namespace tessera
