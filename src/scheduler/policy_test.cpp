#include "scheduler/policy.h"

#include "scheduler/farm_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace tessera {
namespace {

using testing::ElementsAre;

TEST(Policy, IsFoundByItsName) {
    for (const Policy policy :
         {Policy::kEarliestFinish,
          Policy::kRoundRobin,
          Policy::kRandom,
          Policy::kLeastConnections,
          Policy::kPowerOfTwo}) {
        EXPECT_EQ(find_policy(to_string(policy)).value(), policy);
    }
    const auto unknown = find_policy("fastest");
    ASSERT_FALSE(unknown.has_value());
    EXPECT_EQ(unknown.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_NE(unknown.error().message.find("power_of_two"), std::string::npos);
}

/// Speeds are learned from one task each: "slow" takes 4 s, "quick" 1 s.
void teach(TestFarm& farm) {
    for (int i = 0; i < 2; ++i) {
        farm.ready(TestFarm::task("lesson", i));
    }
    const auto first = farm.next();
    const auto second = farm.next();
    for (const auto& assignment : {*first, *second}) {
        farm.end(assignment, assignment.worker.value == "slow" ? 4.0 : 1.0);
    }
}

TEST(EarliestFinish, TakesTheFasterWorker) {
    TestFarm farm(TestFarm::plain());
    farm.join("slow");
    farm.join("quick");
    teach(farm);
    farm.ready(TestFarm::task("a"));
    const auto assignment = farm.next();
    EXPECT_EQ(assignment->worker.value, "quick");
    EXPECT_NEAR(seconds_of(assignment->expected), 1.0, 0.01);
    EXPECT_EQ(assignment->candidates, 2);
}

TEST(EarliestFinish, WeighsTheLoadingOfTheModelAgainstSpeed) {
    SchedulerSettings settings = TestFarm::plain();
    settings.swap_seconds = 10.0;
    TestFarm farm(settings);
    farm.join("slow", 1, {"sd15", "sdxl"});
    farm.join("quick", 1, {"sd15", "sdxl"});
    teach(farm);
    farm.scheduler.worker_models(WorkerId{"quick"}, {{"sd15", false}, {"sdxl", true}});

    farm.ready(TestFarm::task("small"));  // 4 s there, 10 + 1 s here
    const auto small = farm.next();
    EXPECT_EQ(small->worker.value, "slow");
    EXPECT_FALSE(small->swap);
    farm.end(*small, 4.0);

    ReadyTask large = TestFarm::task("large");  // 20 s there, 10 + 5 s here
    large.cost = 5.0;
    farm.ready(large);
    const auto assignment = farm.next();
    EXPECT_EQ(assignment->worker.value, "quick");
    EXPECT_TRUE(assignment->swap);
    EXPECT_NEAR(seconds_of(assignment->expected), 15.0, 0.01);
}

TEST(EarliestFinish, LearnsWhatLoadingTakes) {
    SchedulerSettings settings = TestFarm::plain();
    settings.swap_seconds = 1.0;
    TestFarm farm(settings);
    farm.join("one");
    farm.ready(TestFarm::task("warm"));
    farm.end(*farm.next(), 1.0);
    farm.scheduler.worker_models(WorkerId{"one"}, {{"sd15", false}});
    farm.ready(TestFarm::task("cold"));
    const auto cold = farm.next();
    EXPECT_TRUE(cold->swap);
    EXPECT_NEAR(seconds_of(cold->expected), 2.0, 0.01);
    farm.end(*cold, 7.0);
    farm.scheduler.worker_models(WorkerId{"one"}, {{"sd15", false}});
    farm.ready(TestFarm::task("cold again"));
    EXPECT_NEAR(seconds_of(farm.next()->expected), 7.0, 0.01);
}

TEST(EarliestFinish, ANewWorkerBeginsWithWhatItsNodeHasShown) {
    TestFarm farm(TestFarm::plain());
    farm.join("slow");
    farm.join("quick");
    teach(farm);
    farm.scheduler.worker_left(WorkerId{"slow"});
    farm.join("slow");
    farm.scheduler.worker_left(WorkerId{"quick"});
    farm.ready(TestFarm::task("a"));
    EXPECT_NEAR(seconds_of(farm.next()->expected), 4.0, 0.01);
}

TEST(EarliestFinish, OldMeasurementsFadeToTheUsual) {
    TestFarm farm(TestFarm::plain());
    farm.join("slow");
    farm.join("quick");
    teach(farm);
    for (int i = 0; i < 50; ++i) {  // the usual becomes 1 s
        farm.ready(TestFarm::task("more", i));
        farm.end(*farm.next(), 1.0);
    }
    farm.scheduler.worker_draining(WorkerId{"quick"});
    farm.ready(TestFarm::task("a"));
    const auto fresh = farm.next();
    EXPECT_NEAR(seconds_of(fresh->expected), 4.0, 0.01);
    farm.scheduler.assignment_failed(fresh->task, true);
    farm.scheduler.task_gone(fresh->task, farm.now);
    farm.scheduler.worker_credit(WorkerId{"slow"}, 1);
    farm.pass(30 * 60);
    farm.ready(TestFarm::task("b"));
    EXPECT_NEAR(seconds_of(farm.next()->expected), 1.0, 0.01);
}

TEST(RoundRobin, GoesThroughTheWorkersInTurn) {
    TestFarm farm(TestFarm::plain(Policy::kRoundRobin));
    for (const char* name : {"a", "b", "c"}) {
        farm.join(name);
    }
    std::vector<std::string> order;
    for (int i = 0; i < 7; ++i) {
        farm.ready(TestFarm::task("job", i));
        const auto assignment = farm.next();
        order.push_back(assignment->worker.value);
        farm.end(*assignment);
    }
    EXPECT_THAT(order, ElementsAre("a", "b", "c", "a", "b", "c", "a"));
}

TEST(RoundRobin, StepsOverBusyWorkers) {
    TestFarm farm(TestFarm::plain(Policy::kRoundRobin));
    for (const char* name : {"a", "b", "c"}) {
        farm.join(name);
    }
    farm.ready(TestFarm::task("job", 0));
    farm.ready(TestFarm::task("job", 1));
    const auto first = farm.next();
    EXPECT_EQ(first->worker.value, "a");
    farm.end(*farm.next());  // b
    farm.ready(TestFarm::task("job", 2));
    farm.end(*farm.next());  // c
    farm.ready(TestFarm::task("job", 3));
    EXPECT_EQ(farm.next_worker(), "b");  // a is busy
}

TEST(LeastConnections, TakesTheSmallestPartInUse) {
    TestFarm farm(TestFarm::plain(Policy::kLeastConnections));
    farm.join("wide", 4);
    farm.join("narrow", 2);
    std::vector<std::string> order;
    for (int i = 0; i < 6; ++i) {
        farm.ready(TestFarm::task("job", i));
        order.push_back(farm.next_worker());
    }
    EXPECT_THAT(order, ElementsAre("wide", "narrow", "wide", "wide", "narrow", "wide"));
}

TEST(RandomPolicies, UseEveryWorkerAndRepeatWithTheSeed) {
    for (const Policy policy : {Policy::kRandom, Policy::kPowerOfTwo}) {
        const auto play = [policy](std::uint64_t seed) {
            TestFarm farm(TestFarm::plain(policy), seed);
            for (const char* name : {"a", "b", "c", "d"}) {
                farm.join(name, 2);
            }
            std::vector<std::string> order;
            for (int i = 0; i < 100; ++i) {
                farm.ready(TestFarm::task("job", i));
                const auto assignment = farm.next();
                order.push_back(assignment->worker.value);
                farm.end(*assignment);
            }
            return order;
        };
        const auto order = play(7);
        EXPECT_EQ(std::set(order.begin(), order.end()).size(), 4U);
        EXPECT_EQ(order, play(7));
        EXPECT_NE(order, play(8));
    }
}

TEST(PowerOfTwo, NeverTakesTheFullestOfThree) {
    SeededEntropy entropy(3);
    PolicyMemory memory;
    const std::vector<Candidate> candidates{{1, 3, 4, 0.0}, {2, 1, 4, 0.0}, {3, 2, 4, 0.0}};
    std::map<std::size_t, int> chosen;
    for (int i = 0; i < 300; ++i) {
        ++chosen[choose(Policy::kPowerOfTwo, candidates, memory, entropy)];
    }
    EXPECT_EQ(chosen.count(0), 0U);
    EXPECT_GT(chosen[1], chosen[2]);
    EXPECT_GT(chosen[2], 50);
}

}  // namespace
}  // namespace tessera
