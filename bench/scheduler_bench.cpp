// The scheduler's decision: google-benchmark's table. The time is that of next() alone, but for
// `turnover`, which is a task's whole way: ready, given, started, ended.
#include "base/entropy.h"
#include "scheduler/scheduler.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace tessera {
namespace {

/// A farm that has more to do than it can, with facts drawn by chance.
class BusyFarm {
  public:
    struct Size {
        int workers = 1'000;
        int tasks = 10'000;
        int tenants = 100;
        int models = 50;
        int offers = 10;  ///< models of a worker
    };

    BusyFarm(const Size& size, Policy policy)
        : size_(size), chance_(1), scheduler_(settings(policy), chance_) {
        for (int i = 0; i < size.models; ++i) {
            // As long as names and hashes are.
            models_.push_back("stable-diffusion-" + std::to_string(i) + "@" + std::string(64, 'a'));
        }
        for (int i = 0; i < size.workers; ++i) {
            WorkerOffer offer;
            offer.worker = WorkerId{"worker-" + std::to_string(i)};
            offer.node = "node-" + std::to_string(i / 4);
            for (int j = 0; j < size.offers; ++j) {
                offer.models.push_back(
                    {models_[static_cast<std::size_t>((i + j * 7) % size.models)], j == 0}
                );
            }
            scheduler_.worker_joined(offer);
            workers_.push_back(offer.worker);
        }
        for (int i = 0; i < size.tasks; ++i) {
            add_task();
        }
    }

    void add_task() {
        ReadyTask task;
        task.id = {
            JobId{"01kb" + std::to_string(1'000'000 + made_ / 4) + "0123456789abcde"}, made_ % 4};
        ++made_;
        task.tenant = "tenant-" + std::to_string(draw(size_.tenants));
        task.affinity = models_[static_cast<std::size_t>(draw(size_.models))];
        task.priority = static_cast<Priority>(draw(3));
        task.cost = 1.0 + 9.0 * chance_.unit();
        task.submitted = wall_;
        if (draw(10) == 0) {
            task.deadline = wall_ + std::chrono::seconds(60 + draw(600));
        }
        scheduler_.task_ready(task, now_, wall_);
    }

    void offer_all() {
        for (const WorkerId& worker : workers_) {
            scheduler_.worker_credit(worker, 1);
        }
    }

    std::optional<Assignment> next() {
        auto assignment = scheduler_.next(now_);
        if (assignment) {
            running_.push_back(*assignment);
        }
        return assignment;
    }

    void start() { scheduler_.task_started(running_.back().task, running_.back().worker, now_); }

    /// One of the running tasks ends; its worker asks for another.
    void end_one() {
        pass(Duration(5'000));
        const auto at = static_cast<std::size_t>(draw(static_cast<int>(running_.size())));
        std::swap(running_[at], running_.back());
        const Assignment& ended = running_.back();
        const double seconds = seconds_of(ended.expected) * (0.8 + 0.4 * chance_.unit());
        scheduler_.task_ended(ended.task, ended.worker, TaskOutcome::kDone, seconds, now_);
        scheduler_.worker_credit(ended.worker, 1);
        running_.pop_back();
    }

    void pass(Duration time) {
        now_ += time;
        wall_ += std::chrono::duration_cast<std::chrono::milliseconds>(time);
    }

    /// When a worker waits until one that has the model is free.
    void pass_patience() {
        if (const auto again = scheduler_.ask_again()) {
            pass(std::max(*again - now_, Duration(1'000)));
        }
    }

  private:
    static SchedulerSettings settings(Policy policy) {
        SchedulerSettings settings;
        settings.policy = policy;
        return settings;
    }
    int draw(int below) {
        return static_cast<int>(chance_.next() % static_cast<std::uint64_t>(below));
    }

    Size size_;
    SeededEntropy chance_;
    Scheduler scheduler_;
    std::vector<std::string> models_;
    std::vector<WorkerId> workers_;
    std::vector<Assignment> running_;
    Instant now_{std::chrono::hours(1)};
    WallTime wall_{std::chrono::hours(500'000)};
    int made_ = 0;
};

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void say_percentiles(benchmark::State& state, std::vector<double>& times) {
    std::sort(times.begin(), times.end());
    state.counters["p50_us"] = 1e6 * times[times.size() / 2];
    state.counters["p99_us"] = 1e6 * times[times.size() * 99 / 100];
    state.counters["max_us"] = 1e6 * times.back();
}

/// Every worker is busy; one becomes free at a time.
void decision_busy(benchmark::State& state, Policy policy, BusyFarm::Size size) {
    BusyFarm farm(size, policy);
    farm.offer_all();
    while (farm.next()) {
        farm.start();
        farm.add_task();
    }
    std::vector<double> times;
    for (auto _ : state) {
        farm.end_one();
        const auto begin = std::chrono::steady_clock::now();
        const auto assignment = farm.next();
        const double seconds = seconds_since(begin);
        state.SetIterationTime(seconds);
        times.push_back(seconds);
        if (assignment) {
            farm.start();
            farm.add_task();
        } else {
            farm.pass_patience();
        }
        while (farm.next()) {
            farm.start();
            farm.add_task();
        }
    }
    say_percentiles(state, times);
}

/// Every worker is free: the most to choose among. One round gives work to all.
void decision_idle(benchmark::State& state, Policy policy, BusyFarm::Size size) {
    std::vector<double> times;
    for (auto _ : state) {
        BusyFarm farm(size, policy);
        farm.offer_all();
        double sum = 0.0;
        int decisions = 0;
        for (;;) {
            const auto begin = std::chrono::steady_clock::now();
            const auto assignment = farm.next();
            const double seconds = seconds_since(begin);
            if (!assignment) {
                break;
            }
            times.push_back(seconds);
            sum += seconds;
            ++decisions;
        }
        state.SetIterationTime(sum / std::max(decisions, 1));
    }
    say_percentiles(state, times);
}

void turnover(benchmark::State& state, BusyFarm::Size size) {
    BusyFarm farm(size, Policy::kEarliestFinish);
    farm.offer_all();
    while (farm.next()) {
        farm.start();
        farm.add_task();
    }
    for (auto _ : state) {
        farm.end_one();
        farm.add_task();
        while (farm.next()) {
            farm.start();
        }
    }
}

constexpr BusyFarm::Size kUsual{};
constexpr BusyFarm::Size kManyTenants{1'000, 10'000, 2'000, 50, 10};
constexpr BusyFarm::Size kManyModels{1'000, 10'000, 100, 500, 40};
constexpr BusyFarm::Size kOneModel{1'000, 10'000, 100, 1, 1};

BENCHMARK_CAPTURE(decision_busy, earliest_finish, Policy::kEarliestFinish, kUsual)->UseManualTime();
BENCHMARK_CAPTURE(decision_busy, round_robin, Policy::kRoundRobin, kUsual)->UseManualTime();
BENCHMARK_CAPTURE(decision_busy, power_of_two, Policy::kPowerOfTwo, kUsual)->UseManualTime();
BENCHMARK_CAPTURE(decision_busy, 2000_tenants, Policy::kEarliestFinish, kManyTenants)
    ->UseManualTime();
BENCHMARK_CAPTURE(decision_busy, 500_models, Policy::kEarliestFinish, kManyModels)->UseManualTime();
BENCHMARK_CAPTURE(decision_busy, one_model, Policy::kEarliestFinish, kOneModel)->UseManualTime();
BENCHMARK_CAPTURE(decision_idle, usual, Policy::kEarliestFinish, kUsual)
    ->UseManualTime()
    ->Iterations(20);
BENCHMARK_CAPTURE(decision_idle, one_model, Policy::kEarliestFinish, kOneModel)
    ->UseManualTime()
    ->Iterations(20);
BENCHMARK_CAPTURE(turnover, usual, kUsual);

}  // namespace
}  // namespace tessera
