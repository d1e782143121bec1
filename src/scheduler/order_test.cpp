// Which task is next: tenants, priorities, deadlines, models.
#include "scheduler/farm_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace tessera {
namespace {

using testing::ElementsAre;

ReadyTask of_tenant(const std::string& tenant, const std::string& job, int index = 0) {
    ReadyTask task = TestFarm::task(job, index);
    task.tenant = tenant;
    return task;
}

ReadyTask of_priority(Priority priority, const std::string& job, int index = 0) {
    ReadyTask task = TestFarm::task(job, index);
    task.priority = priority;
    return task;
}

ReadyTask of_model(const std::string& affinity, const std::string& job, int index = 0) {
    ReadyTask task = TestFarm::task(job, index);
    task.affinity = affinity;
    return task;
}

/// Lets the one worker work until nothing is left; the jobs in the order in which they ran.
std::vector<std::string> drain(TestFarm& farm, double seconds = 1.0) {
    std::vector<std::string> order;
    while (const auto assignment = farm.next()) {
        order.push_back(assignment->task.job.value);
        farm.pass(seconds);
        farm.end(*assignment, seconds);
    }
    return order;
}

TEST(Order, IsFirstComeFirstServed) {
    TestFarm farm(TestFarm::plain());
    for (const char* job : {"a", "b", "c"}) {
        farm.ready(TestFarm::task(job));
        farm.pass(1.0);
    }
    farm.join("one");
    EXPECT_THAT(drain(farm), ElementsAre("a", "b", "c"));
}

TEST(Order, ATaskThatComesBackKeepsItsPlace) {
    TestFarm farm(TestFarm::plain());
    const WallTime first = farm.wall();
    farm.pass(5.0);
    farm.ready(TestFarm::task("later"));
    ReadyTask back = TestFarm::task("earlier");
    back.submitted = first;
    farm.ready(back);
    farm.join("one");
    EXPECT_THAT(drain(farm), ElementsAre("earlier", "later"));
}

TEST(Order, PicturesOfAJobKeepTheirOrderHoweverTheClocksAreRead) {
    TestFarm farm(TestFarm::plain());
    ReadyTask first = TestFarm::task("a", 0);
    first.submitted = farm.wall();
    ReadyTask second = TestFarm::task("a", 1);
    second.submitted = first.submitted;
    farm.scheduler.task_ready(first, farm.now, farm.wall());
    farm.scheduler.task_ready(second, farm.now, farm.wall() + std::chrono::milliseconds(3));
    farm.join("one");
    EXPECT_EQ(farm.next()->task.index, 0);
}

TEST(Order, HigherPrioritiesGoFirst) {
    TestFarm farm(TestFarm::plain());
    farm.ready(of_priority(Priority::kBatch, "batch"));
    farm.ready(of_priority(Priority::kNormal, "normal"));
    farm.ready(of_priority(Priority::kInteractive, "interactive"));
    farm.join("one");
    EXPECT_THAT(drain(farm), ElementsAre("interactive", "normal", "batch"));
}

TEST(Order, WaitingRaisesThePriorityByWholeSteps) {
    SchedulerSettings settings = TestFarm::plain();
    settings.ageing_step = std::chrono::seconds(60);
    TestFarm farm(settings);
    farm.ready(of_priority(Priority::kNormal, "old"));
    farm.pass(59.0);
    farm.ready(of_priority(Priority::kInteractive, "young"));
    farm.join("one");
    const auto first = farm.scheduler.next(farm.now);
    EXPECT_EQ(first->task.job.value, "young");
    farm.scheduler.assignment_failed(first->task, true);
    farm.pass(1.0);  // now both stand at 2, and "old" came first
    EXPECT_EQ(farm.next_job(), "old");
}

TEST(Order, AnUrgentDeadlineGoesFirstAndAMissedOneDoesNot) {
    TestFarm farm(TestFarm::plain());
    farm.ready(of_priority(Priority::kInteractive, "interactive"));
    ReadyTask task = of_priority(Priority::kBatch, "due");
    task.cost = 10.0;
    task.deadline = farm.wall() + std::chrono::seconds(100);
    farm.ready(task);
    task.id.job.value = "due before";
    task.deadline = farm.wall() + std::chrono::seconds(95);
    farm.ready(task);
    farm.join("one");
    const auto peek = [&farm] {
        const auto assignment = farm.scheduler.next(farm.now);
        farm.scheduler.assignment_failed(assignment->task, true);
        return assignment->task.job.value;
    };
    farm.pass(59.0);
    EXPECT_EQ(peek(), "interactive");
    farm.pass(17.0);  // 95 - 76 < 2 x 10
    EXPECT_EQ(peek(), "due before");
    farm.pass(5.0);  // both urgent, the earlier deadline first
    EXPECT_EQ(peek(), "due before");
    farm.pass(15.0);  // that one is missed
    EXPECT_EQ(peek(), "due");
    farm.pass(10.0);
    EXPECT_EQ(peek(), "interactive");
}

TEST(Tenants, AlternateHoweverManyTasksEachHas) {
    TestFarm farm(TestFarm::plain());
    for (int i = 0; i < 1000; ++i) {
        farm.ready(of_tenant("anna", "many", i));
    }
    farm.join("one");
    for (int i = 0; i < 100; ++i) {
        farm.end(*farm.next());
    }
    farm.ready(of_tenant("boris", "single"));
    std::vector<std::string> order;
    for (int i = 0; i < 2; ++i) {
        const auto assignment = farm.next();
        order.push_back(assignment->task.job.value);
        farm.end(*assignment);
    }
    EXPECT_THAT(order, testing::Contains("single"));
}

TEST(Tenants, PrioritiesOfOneDoNotHoldAnotherUp) {
    TestFarm farm(TestFarm::plain());
    for (int i = 0; i < 100; ++i) {
        ReadyTask task = of_tenant("anna", "loud", i);
        task.priority = Priority::kInteractive;
        farm.ready(task);
    }
    ReadyTask quiet = of_tenant("boris", "quiet");
    quiet.priority = Priority::kBatch;
    farm.ready(quiet);
    farm.join("one");
    const auto order = drain(farm);
    EXPECT_LE(std::find(order.begin(), order.end(), "quiet") - order.begin(), 1);
}

TEST(Tenants, ShareByCostNotByCount) {
    TestFarm farm(TestFarm::plain());
    for (int i = 0; i < 200; ++i) {
        ReadyTask large = of_tenant("anna", "large", i);
        large.cost = 9.0;
        farm.ready(large);
        ReadyTask small = of_tenant("boris", "small", i);
        small.cost = 1.0;
        farm.ready(small);
    }
    farm.join("one");
    std::map<std::string, double> seconds;
    for (int i = 0; i < 150; ++i) {
        const auto assignment = farm.next();
        const double took = assignment->task.job.value == "large" ? 9.0 : 1.0;
        seconds[assignment->task.job.value] += took;
        farm.end(*assignment, took);
    }
    EXPECT_NEAR(seconds["large"] / seconds["small"], 1.0, 0.15);
}

TEST(Tenants, PayWhatATaskReallyTook) {
    TestFarm farm(TestFarm::plain());
    for (int i = 0; i < 400; ++i) {
        farm.ready(of_tenant("anna", "understated", i));
        farm.ready(of_tenant("boris", "honest", i));
    }
    farm.join("one");
    std::map<std::string, double> seconds;
    for (int i = 0; i < 300; ++i) {
        const auto assignment = farm.next();
        const double took = assignment->task.job.value == "understated" ? 5.0 : 1.0;
        seconds[assignment->task.job.value] += took;
        farm.end(*assignment, took);
    }
    EXPECT_NEAR(seconds["understated"] / seconds["honest"], 1.0, 0.2);
}

TEST(Tenants, DoNotSaveUpWhatTheyDidNotUse) {
    TestFarm farm(TestFarm::plain());
    farm.join("one");
    for (int i = 0; i < 300; ++i) {
        farm.ready(of_tenant("anna", "early", i));
    }
    farm.ready(of_tenant("boris", "hello"));
    for (int i = 0; i < 200; ++i) {
        farm.end(*farm.next());
    }
    for (int i = 0; i < 100; ++i) {
        farm.ready(of_tenant("boris", "late", i));
    }
    int late = 0;
    for (int i = 0; i < 60; ++i) {
        const auto assignment = farm.next();
        late += assignment->task.job.value == "late" ? 1 : 0;
        farm.end(*assignment);
    }
    EXPECT_NEAR(late, 30, 10);
}

TEST(Models, AWorkerStaysWithItsModelForAQuantum) {
    SchedulerSettings settings = TestFarm::plain();
    settings.swap_seconds = 2.0;
    settings.model_quantum_swaps = 5.0;
    TestFarm farm(settings);
    farm.join("one", 1, {"none", "sd15", "sdxl"});
    for (int i = 0; i < 12; ++i) {  // in turn, so that first come would swap each time
        farm.ready(of_model("sd15", "x", i));
        farm.ready(of_model("sdxl", "y", i));
    }
    std::string order;
    int swaps = 0;
    while (const auto assignment = farm.next()) {
        order += assignment->task.job.value;
        swaps += assignment->swap ? 1 : 0;
        const std::string model = assignment->task.job.value == "x" ? "sd15" : "sdxl";
        farm.end(*assignment, assignment->swap ? 3.0 : 1.0);
        farm.scheduler.worker_models(
            WorkerId{"one"}, {{"none", false}, {"sd15", model == "sd15"}, {"sdxl", model == "sdxl"}}
        );
    }
    EXPECT_EQ(order, "xxxxxxxxxxyyyyyyyyyyxxyy");
    EXPECT_EQ(swaps, 4);
}

TEST(Models, AnIdleWorkerLoadsWhatIsWanted) {
    SchedulerSettings settings = TestFarm::plain();
    settings.swap_seconds = 100.0;
    TestFarm farm(settings);
    farm.join("one", 1, {"sd15", "sdxl"});
    farm.ready(TestFarm::task("x"));
    farm.end(*farm.next());
    farm.ready(of_model("sdxl", "y"));
    EXPECT_EQ(farm.next_job(), "y");
}

TEST(Models, AFloodOfOneModelDoesNotHoldUpAnother) {
    SchedulerSettings settings = TestFarm::plain();
    settings.swap_seconds = 2.0;
    TestFarm farm(settings);
    farm.join("one", 1, {"sd15", "sdxl"});
    for (int i = 0; i < 500; ++i) {
        farm.ready(of_tenant("anna", "flood", i));
    }
    for (int i = 0; i < 40; ++i) {  // its quantum is long used up
        farm.end(*farm.next());
    }
    ReadyTask other = of_model("sdxl", "other");
    other.tenant = "boris";
    farm.ready(other);
    const auto first = farm.next();
    farm.end(*first);
    EXPECT_THAT((std::vector{first->task.job.value, farm.next_job()}), testing::Contains("other"));
}

}  // namespace
}  // namespace tessera
