#include "job/progress.h"

#include "job/planner.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <chrono>
#include <vector>

namespace tessera {
namespace {

WallTime at(int seconds) {
    return WallTime(std::chrono::seconds(seconds));
}

/// Two pictures of a render, two tiles and a merge each.
JobPlan tiled_plan() {
    JobSpec spec;
    spec.count = 2;
    ResolvedJob resolved;
    resolved.passes = {{{1024, 512}, 20, true}};
    resolved.size = {4096, 2048};
    resolved.enlargement = Enlargement{4.0, 2048};
    return plan_job(spec, resolved).value();
}

TEST(Progress, BeginsAtNothingAndEndsAtAll) {
    const JobPlan plan = tiled_plan();
    std::vector<TaskStanding> tasks(plan.tasks.size());
    EXPECT_EQ(job_standing(plan, tasks).fraction, 0.0);
    EXPECT_FALSE(job_standing(plan, tasks).started);
    for (TaskStanding& task : tasks) {
        task.state = TaskState::kDone;
    }
    EXPECT_EQ(job_standing(plan, tasks).fraction, 1.0);
    for (const Standing& unit : unit_standings(plan, tasks)) {
        EXPECT_EQ(unit.fraction, 1.0);
    }
}

TEST(Progress, CountsStepsByTheirCost) {
    const JobPlan plan = tiled_plan();
    std::vector<TaskStanding> tasks(plan.tasks.size());
    tasks[0].state = TaskState::kRunning;
    tasks[0].progress = {10, 20, "steps"};
    double picture_cost = 0.0;
    for (std::size_t i = 0; i < 4; ++i) {
        picture_cost += plan.tasks[i].cost;
    }
    const double part = 0.95 * 0.5 * plan.tasks[0].cost / picture_cost;
    EXPECT_NEAR(unit_standings(plan, tasks)[0].fraction, part, 1e-12);
    EXPECT_EQ(unit_standings(plan, tasks)[1].fraction, 0.0);
    EXPECT_NEAR(job_standing(plan, tasks).fraction, part / 2.0, 1e-12);
}

TEST(Progress, ShowsEachTileAndItsPicture) {
    const JobPlan plan = tiled_plan();
    std::vector<TaskStanding> tasks(plan.tasks.size());
    tasks[0].state = TaskState::kDone;
    tasks[1].state = TaskState::kDone;
    const auto before = unit_standings(plan, tasks);
    EXPECT_EQ(before[2].fraction, 1.0);
    EXPECT_EQ(before[3].fraction, 0.0);
    tasks[2].state = TaskState::kDone;
    const auto after = unit_standings(plan, tasks);
    EXPECT_EQ(after[3].fraction, 1.0);
    EXPECT_GT(after[0].fraction, before[0].fraction);
    EXPECT_LT(after[0].fraction, 1.0);
}

TEST(Progress, TellsWhenThingsBeganAndEnded) {
    const JobPlan plan = tiled_plan();
    std::vector<TaskStanding> tasks(plan.tasks.size());
    for (std::size_t i = 0; i < 4; ++i) {
        tasks[i].state = TaskState::kDone;
        tasks[i].started = at(10 + static_cast<int>(i));
        tasks[i].ended = at(20 + static_cast<int>(i));
    }
    tasks[4].state = TaskState::kRunning;
    tasks[4].started = at(5);
    const auto units = unit_standings(plan, tasks);
    EXPECT_EQ(units[0].started, at(10));
    EXPECT_EQ(units[0].ended, at(23));
    EXPECT_EQ(units[1].started, at(5));
    EXPECT_FALSE(units[1].ended);
    EXPECT_EQ(job_standing(plan, tasks).started, at(5));
    EXPECT_FALSE(job_standing(plan, tasks).ended);
}

TEST(Progress, IsNeverWholeUntilAllIsDone) {
    EXPECT_LT(task_fraction({TaskState::kRunning, {20, 20, "steps"}, {}, {}}), 1.0);
    EXPECT_EQ(task_fraction({TaskState::kRunning, {}, {}, {}}), 0.0);
    EXPECT_EQ(task_fraction({TaskState::kDelayed, {20, 20, "steps"}, {}, {}}), 0.0);
    EXPECT_EQ(task_fraction({TaskState::kDead, {20, 20, "steps"}, {}, {}}), 0.0);
    JobPlan plan;
    plan.units.resize(1);
    plan.tasks.resize(2);
    plan.tasks[0].cost = 1e9;
    std::vector<TaskStanding> tasks(2);
    tasks[0].state = TaskState::kDone;
    EXPECT_LT(job_standing(plan, tasks).fraction, 1.0);
}

TEST(Progress, OnlyGrowsWhileAttemptsSucceed) {
    EXPECT_TRUE(rc::check([] {
        const JobPlan plan = tiled_plan();
        std::vector<TaskStanding> tasks(plan.tasks.size());
        std::vector<Standing> before = unit_standings(plan, tasks);
        before.push_back(job_standing(plan, tasks));
        const int moves = *rc::gen::inRange(0, 120);
        for (int i = 0; i < moves; ++i) {
            TaskStanding& task = tasks[*rc::gen::inRange<std::size_t>(0, tasks.size())];
            if (task.state == TaskState::kRunning && *rc::gen::inRange(0, 4) > 0) {
                task.progress.steps = 20;
                task.progress.step += task.progress.step < 20 ? 1 : 0;
            } else {
                const auto move = *rc::gen::element(
                    TaskMove::kUnblock, TaskMove::kClaim, TaskMove::kWake, TaskMove::kComplete
                );
                const LegalMove* legal = find_move(task.state, move);
                task.state = legal == nullptr ? task.state : legal->to;
            }
            std::vector<Standing> after = unit_standings(plan, tasks);
            after.push_back(job_standing(plan, tasks));
            for (std::size_t unit = 0; unit < after.size(); ++unit) {
                RC_ASSERT(after[unit].fraction >= before[unit].fraction);
                RC_ASSERT(after[unit].fraction <= 1.0);
            }
            before = std::move(after);
        }
    }));
}

}  // namespace
}  // namespace tessera
