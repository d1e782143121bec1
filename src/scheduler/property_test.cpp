// What holds whatever happens.
#include "scheduler/farm_test.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace tessera {
namespace {

const std::vector<std::string> kModels{"sd15", "sdxl", "flux"};

template <class T>
const T& any_of(const std::vector<T>& values) {
    return values[*rc::gen::inRange<std::size_t>(0, values.size())];
}

/// Random facts, beside what must be true of the decisions that they lead to.
class RandomFarm {
  public:
    RandomFarm(const SchedulerSettings& settings, std::uint64_t seed) : farm_(settings, seed) {}

    void step() {
        switch (*rc::gen::inRange(0, 12)) {
            case 0:
            case 1:
            case 2:
                ready();
                break;
            case 3:
                gone();
                break;
            case 4:
                join();
                break;
            case 5:
                leave();
                break;
            case 6:
                credit();
                break;
            case 7:
                models();
                break;
            case 8:
            case 9:
                end();
                break;
            case 10:
                if (!workers_.empty() && *rc::gen::inRange(0, 4) == 0) {
                    auto worker = workers_.begin();
                    farm_.scheduler.worker_draining(WorkerId{worker->first});
                    worker->second.draining = true;
                }
                break;
            default:
                farm_.pass(*rc::gen::inRange(0, 3000) / 10.0);
        }
        decide();
        RC_ASSERT(farm_.scheduler.ready_tasks() == ready_.size());
        RC_ASSERT(farm_.scheduler.running_tasks() == running_.size());
    }

    /// Nothing that could run waits but for patience, which ends.
    void nothing_is_left_lying() {
        int decided = 0;
        do {
            decided = decisions_;
            farm_.pass(3600.0);
            decide();
        } while (decisions_ > decided);
        for (const auto& [id, task] : ready_) {
            for (const auto& [name, worker] : workers_) {
                const bool could = worker.credit > 0 && !worker.draining &&
                                   worker.offers.count(task.affinity) > 0 &&
                                   task.failed_on.empty() && !ever_failed_;
                RC_ASSERT(!could);
            }
        }
    }

  private:
    struct Worker {
        int slots = 1;
        int credit = 0;
        bool draining = false;
        std::set<std::string> offers;
    };

    void ready() {
        ReadyTask task = TestFarm::task("job" + std::to_string(*rc::gen::inRange(0, 6)));
        task.id.index = *rc::gen::inRange(0, 8);
        task.tenant = "tenant" + std::to_string(*rc::gen::inRange(0, 4));
        task.priority = static_cast<Priority>(*rc::gen::inRange(0, 3));
        task.affinity = any_of(kModels);
        task.kind = static_cast<TaskKind>(*rc::gen::inRange(0, 3));
        task.cost = *rc::gen::inRange(0, 50) / 5.0;
        if (*rc::gen::inRange(0, 3) == 0) {
            task.deadline = farm_.wall() + std::chrono::seconds(*rc::gen::inRange(-10, 200));
        }
        if (*rc::gen::inRange(0, 4) == 0) {
            task.failed_on = {WorkerId{"w" + std::to_string(*rc::gen::inRange(0, 5))}};
        }
        running_.erase(task.id);
        farm_.ready(task);
        ready_[task.id] = task;
    }

    void gone() {
        const TaskId id{
            JobId{"job" + std::to_string(*rc::gen::inRange(0, 6))}, *rc::gen::inRange(0, 8)};
        farm_.scheduler.task_gone(id, farm_.now);
        ready_.erase(id);
        running_.erase(id);
    }

    std::vector<ModelOffer> offer(Worker& worker) {
        worker.offers.clear();
        std::vector<ModelOffer> offers;
        for (const std::string& model : kModels) {
            if (*rc::gen::inRange(0, 3) > 0) {
                offers.push_back({model, *rc::gen::inRange(0, 2) == 0});
                worker.offers.insert(model);
            }
        }
        return offers;
    }

    void join() {
        const std::string name = "w" + std::to_string(*rc::gen::inRange(0, 5));
        forget(name);
        Worker& worker = workers_[name];
        worker.slots = *rc::gen::inRange(1, 4);
        WorkerOffer hello{WorkerId{name}, "node", "print", worker.slots, offer(worker), {}};
        if (*rc::gen::inRange(0, 3) == 0) {
            hello.predecessor = {"w" + std::to_string(*rc::gen::inRange(0, 5))};
        }
        if (hello.predecessor != hello.worker) {
            forget(hello.predecessor.value);
        }
        farm_.scheduler.worker_joined(hello);
    }

    void leave() {
        const std::string name = "w" + std::to_string(*rc::gen::inRange(0, 5));
        farm_.scheduler.worker_left(WorkerId{name});
        forget(name);
    }

    void forget(const std::string& name) {
        workers_.erase(name);
        std::erase_if(running_, [&](const auto& entry) { return entry.second == name; });
    }

    void credit() {
        const std::string name = "w" + std::to_string(*rc::gen::inRange(0, 5));
        const int more = *rc::gen::inRange(0, 4);
        farm_.scheduler.worker_credit(WorkerId{name}, more);
        if (const auto worker = workers_.find(name); worker != workers_.end()) {
            worker->second.credit = std::min(worker->second.credit + more, worker->second.slots);
        }
    }

    void models() {
        if (!workers_.empty()) {
            auto& [name, worker] = *workers_.begin();
            farm_.scheduler.worker_models(WorkerId{name}, offer(worker));
        }
    }

    void end() {
        if (running_.empty()) {
            return;
        }
        const auto [id, name] = *running_.begin();
        const auto outcome = static_cast<TaskOutcome>(*rc::gen::inRange(0, 4));
        ever_failed_ = ever_failed_ || outcome == TaskOutcome::kOwnFault;
        farm_.scheduler.task_ended(
            id, WorkerId{name}, outcome, *rc::gen::inRange(0, 100) / 10.0, farm_.now
        );
        running_.erase(id);
    }

    void decide() {
        while (const auto assignment = farm_.scheduler.next(farm_.now)) {
            const auto task = ready_.find(assignment->task);
            RC_ASSERT(task != ready_.end());
            const auto worker = workers_.find(assignment->worker.value);
            RC_ASSERT(worker != workers_.end());
            RC_ASSERT(worker->second.credit > 0);
            RC_ASSERT(!worker->second.draining);
            RC_ASSERT(worker->second.offers.count(task->second.affinity) == 1U);
            ++decisions_;
            if (*rc::gen::inRange(0, 6) == 0) {
                farm_.scheduler.assignment_failed(assignment->task, false);
            } else {
                farm_.scheduler.task_started(assignment->task, assignment->worker, farm_.now);
                running_[assignment->task] = assignment->worker.value;
                --worker->second.credit;
            }
            ready_.erase(task);
        }
    }

    TestFarm farm_;
    std::map<TaskId, ReadyTask> ready_;
    std::map<TaskId, std::string> running_;
    std::map<std::string, Worker> workers_;
    bool ever_failed_ = false;
    int decisions_ = 0;
};

SchedulerSettings random_settings() {
    SchedulerSettings settings;
    settings.policy = static_cast<Policy>(*rc::gen::inRange(0, 5));
    settings.swap_seconds = *rc::gen::inRange(0, 20);
    return settings;
}

TEST(SchedulerProperty, OnlyReadyTasksGoToWorkersThatMayHaveThem) {
    EXPECT_TRUE(rc::check([] {
        RandomFarm farm(random_settings(), *rc::gen::arbitrary<std::uint64_t>());
        const int steps = *rc::gen::inRange(1, 150);
        for (int i = 0; i < steps; ++i) {
            farm.step();
        }
        farm.nothing_is_left_lying();
    }));
}

/// A farm of `workers` on which every task takes its cost in seconds, until `wanted` begins or
/// nothing does any more; how many begin before it.
std::optional<int> begun_before(
    TestFarm& farm, const TaskId& wanted, const std::function<void()>& after_each = {}
) {
    int begun = 0;
    std::multimap<Instant, std::pair<Assignment, double>> ends;
    for (;;) {
        while (const auto assignment = farm.next()) {
            if (assignment->task == wanted) {
                return begun;
            }
            ++begun;
            const double seconds = seconds_of(assignment->expected);
            ends.emplace(farm.now + assignment->expected, std::pair(*assignment, seconds));
        }
        const auto again = farm.scheduler.ask_again();
        if (again && (ends.empty() || *again < ends.begin()->first)) {
            farm.now = std::max(farm.now, *again);
            continue;
        }
        if (ends.empty()) {
            return std::nullopt;
        }
        farm.now = std::max(farm.now, ends.begin()->first);
        farm.end(ends.begin()->second.first, ends.begin()->second.second);
        ends.erase(ends.begin());
        if (after_each) {
            after_each();
        }
    }
}

TEST(SchedulerProperty, ATenantsTaskWaitsForAboutOneTaskForEachWorker) {
    EXPECT_TRUE(rc::check([] {
        TestFarm farm(TestFarm::plain(static_cast<Policy>(*rc::gen::inRange(0, 5))));
        const int workers = *rc::gen::inRange(1, 6);
        for (int i = 0; i < workers; ++i) {
            farm.join("w" + std::to_string(i));
        }
        const auto priority = static_cast<Priority>(*rc::gen::inRange(0, 3));
        for (int i = 0; i < 300; ++i) {
            ReadyTask task = TestFarm::task("flood", i);
            task.priority = priority;
            farm.ready(task);
        }
        std::vector<Assignment> running;
        const int already = *rc::gen::inRange(0, 100);
        for (int i = 0; i < already; ++i) {
            if (const auto assignment = farm.next()) {
                running.push_back(*assignment);
            } else {
                farm.pass(1.0);
                farm.end(running.front());
                running.erase(running.begin());
            }
        }
        ReadyTask single = TestFarm::task("single");
        single.tenant = "boris";
        single.priority = Priority::kBatch;
        farm.ready(single);
        for (const Assignment& assignment : running) {
            farm.pass(1.0);
            farm.end(assignment);
        }
        const auto before = begun_before(farm, single.id);
        RC_ASSERT(before.has_value());
        RC_ASSERT(*before <= workers + 1);
    }));
}

TEST(SchedulerProperty, NothingStarvesUnderAnEndlessFlood) {
    EXPECT_TRUE(rc::check([] {
        SchedulerSettings settings = TestFarm::plain();
        settings.swap_seconds = *rc::gen::inRange(0, 10);
        settings.ageing_step = std::chrono::seconds(*rc::gen::inRange(1, 60));
        TestFarm farm(settings);
        const int workers = *rc::gen::inRange(1, 4);
        for (int i = 0; i < workers; ++i) {
            farm.join("w" + std::to_string(i), 1, kModels);
        }
        int next = 0;
        const auto flood = [&farm, &next] {
            // As much as can be done, and more: of every model, every priority, two tenants.
            for (int i = 0; i < 2; ++i) {
                ReadyTask task = TestFarm::task("flood", next);
                task.affinity = kModels[static_cast<std::size_t>(next / 3) % kModels.size()];
                task.priority = static_cast<Priority>(1 + next % 2);
                task.tenant = next % 5 == 0 ? "anna" : "carl";
                farm.ready(task);
                ++next;
            }
        };
        for (int i = 0; i < 20; ++i) {
            flood();
        }
        ReadyTask wanted = TestFarm::task("wanted");
        wanted.affinity = any_of(kModels);
        wanted.priority = Priority::kBatch;
        wanted.tenant = any_of(std::vector<std::string>{"anna", "boris", "carl"});
        farm.ready(wanted);
        const auto before = begun_before(farm, wanted.id, [&] {
            RC_ASSERT(next < 10'000);
            flood();
        });
        RC_ASSERT(before.has_value());
    }));
}

TEST(SchedulerProperty, EqualFactsAndSeedGiveEqualDecisions) {
    for (int policy = 0; policy < 5; ++policy) {
        const auto play = [policy] {
            SchedulerSettings settings;
            settings.policy = static_cast<Policy>(policy);
            TestFarm farm(settings, 42);
            SeededEntropy chance(7);
            std::vector<std::string> decisions;
            std::vector<Assignment> running;
            for (int i = 0; i < 6; ++i) {
                farm.join("w" + std::to_string(i), 2, kModels);
            }
            for (int i = 0; i < 2000; ++i) {
                ReadyTask task = TestFarm::task("job", i);
                task.tenant = "tenant" + std::to_string(chance.next() % 7);
                task.affinity = kModels[chance.next() % kModels.size()];
                task.cost = 1.0 + 5.0 * chance.unit();
                farm.ready(task);
                while (const auto assignment = farm.next()) {
                    decisions.push_back(
                        std::to_string(assignment->task.index) + assignment->worker.value
                    );
                    running.push_back(*assignment);
                }
                farm.pass(chance.unit());
                if (!running.empty()) {
                    const std::size_t ended = chance.next() % running.size();
                    farm.end(running[ended], 1.0 + chance.unit());
                    running.erase(running.begin() + static_cast<std::ptrdiff_t>(ended));
                }
            }
            return decisions;
        };
        const auto decisions = play();
        EXPECT_GT(decisions.size(), 1500U);
        EXPECT_EQ(decisions, play());
    }
}

}  // namespace
}  // namespace tessera
