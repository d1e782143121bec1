// What the policies are worth under load, in virtual time.
#include "scheduler/queueing_test.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

namespace tessera {
namespace {

void say(const char* what, const QueueingFigures& figures) {
    if (std::getenv("TESSERA_FIGURES") != nullptr) {
        std::cout << what << ": wait " << figures.mean_wait << " s (late " << figures.late_mean_wait
                  << "), sojourn " << figures.mean_sojourn << " (p99 " << figures.p99_sojourn
                  << "), swaps " << figures.swap_rate << "\n";
    }
}

/// 16 workers, the fastest four times as fast as the slowest.
QueueingModel unequal_workers() {
    QueueingModel model;
    for (int i = 0; i < 16; ++i) {
        model.speeds.push_back(1.0 + 3.0 * i / 15.0);
    }
    model.spread = 0.8;
    model.tasks = 6'000;
    return model;
}

SchedulerSettings with_policy(Policy policy) {
    SchedulerSettings settings = TestFarm::plain(policy);
    settings.seconds_per_cost = 0.5;
    return settings;
}

TEST(Queueing, LateBindingIsStableOnUnequalWorkersWhereEarlyRoundRobinIsNot) {
    QueueingRun run(unequal_workers());
    const auto early = run.with_early_round_robin();
    const auto late = run.with(with_policy(Policy::kEarliestFinish));
    say("early round robin", early);
    say("earliest finish", late);
    EXPECT_LT(late.mean_wait, 2.0);
    EXPECT_LT(late.late_mean_wait, 2.0);
    EXPECT_GT(early.late_mean_wait, 100.0);
}

TEST(Queueing, EarliestFinishIsTheBestPolicyOnUnequalWorkers) {
    QueueingModel model = unequal_workers();
    model.load = 0.5;  // the more workers are free, the more there is to choose
    QueueingRun run(model);
    const auto best = run.with(with_policy(Policy::kEarliestFinish));
    say("earliest finish", best);
    for (const Policy policy :
         {Policy::kRoundRobin, Policy::kRandom, Policy::kLeastConnections, Policy::kPowerOfTwo}) {
        const auto other = run.with(with_policy(policy));
        say(std::string(to_string(policy)).c_str(), other);
        EXPECT_LT(best.mean_sojourn, 0.85 * other.mean_sojourn) << to_string(policy);
    }
}

/// 8 workers that hold one of 6 models each; to load one takes longer than a picture.
QueueingModel many_models(double load) {
    QueueingModel model;
    model.speeds.assign(8, 1.0);
    model.models = 6;
    model.swap_seconds = 10.0;
    model.load = load;
    model.tasks = 5'000;
    return model;
}

SchedulerSettings with_quantum(double swaps) {
    SchedulerSettings settings;
    settings.seconds_per_cost = 1.0;
    settings.swap_seconds = 10.0;
    settings.model_quantum_swaps = swaps;
    return settings;
}

TEST(Queueing, TheModelQuantumKeepsASwappingFarmStable) {
    for (const double load : {0.7, 0.85}) {
        QueueingRun run(many_models(load));
        const auto first_come = run.with(with_quantum(0.0));
        const auto quantum = run.with(with_quantum(SchedulerSettings().model_quantum_swaps));
        say("first come", first_come);
        say("quantum", quantum);
        EXPECT_GT(first_come.late_mean_wait, 1000.0);
        EXPECT_LT(quantum.late_mean_wait, 100.0);
        EXPECT_LT(quantum.swap_rate, 0.5 * first_come.swap_rate);
    }
}

TEST(Queueing, PatienceSparesLoadingWhenWorkersAreIdle) {
    QueueingRun run(many_models(0.45));
    SchedulerSettings settings = with_quantum(15.0);
    const auto patient = run.with(settings);
    settings.patience_swaps = 0.0;
    const auto hasty = run.with(settings);
    say("patient", patient);
    say("hasty", hasty);
    EXPECT_LT(patient.swap_rate, 0.4 * hasty.swap_rate);
    EXPECT_LT(patient.mean_sojourn, 0.9 * hasty.mean_sojourn);
}

}  // namespace
}  // namespace tessera
