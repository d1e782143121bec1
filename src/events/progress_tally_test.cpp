#include "events/progress_tally.h"

#include "job/planner.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

std::shared_ptr<const JobPlan> tiled_plan() {
    JobSpec spec;
    spec.count = 2;
    ResolvedJob resolved;
    resolved.passes = {{{1024, 512}, 20, true}};
    resolved.size = {4096, 2048};
    resolved.enlargement = Enlargement{4.0, 2048};
    return std::make_shared<const JobPlan>(plan_job(spec, resolved).value());
}

TEST(ProgressTallyTest, SaysAtAllTimesWhatIsSaidOfTheWholeJob) {
    const auto plan = tiled_plan();
    EXPECT_TRUE(rc::check([&plan] {
        std::vector<TaskStanding> tasks(plan->tasks.size());
        ProgressTally tally(plan, tasks);
        const auto changes =
            *rc::gen::container<std::vector<std::pair<int, std::pair<int, int>>>>(rc::gen::pair(
                rc::gen::inRange(0, static_cast<int>(tasks.size())),
                rc::gen::pair(rc::gen::inRange(0, 7), rc::gen::inRange(0, 30))
            ));
        for (const auto& [task, change] : changes) {
            TaskStanding& standing = tasks[static_cast<std::size_t>(task)];
            standing.state = static_cast<TaskState>(change.first);
            standing.progress = {change.second, 20, "steps"};
            tally.set(task, standing);
            RC_ASSERT(std::abs(tally.job_fraction() - job_standing(*plan, tasks).fraction) < 1e-9);
        }
        const auto units = unit_standings(*plan, tasks);
        for (std::size_t unit = 0; unit < units.size(); ++unit) {
            const double fraction = tally.unit_fraction(static_cast<int>(unit));
            RC_ASSERT(std::abs(fraction - units[unit].fraction) < 1e-9);
        }
        const ProgressTally anew(plan, tasks);
        RC_ASSERT(std::abs(anew.job_fraction() - tally.job_fraction()) < 1e-9);
    }));
}

TEST(ProgressTallyTest, IgnoresTasksAndUnitsThatThePlanHasNot) {
    ProgressTally tally(tiled_plan(), {});
    tally.set(-1, {TaskState::kDone, {}, {}, {}});
    tally.set(1000, {TaskState::kDone, {}, {}, {}});
    EXPECT_EQ(tally.job_fraction(), 0.0);
    EXPECT_EQ(tally.unit_fraction(-1), 0.0);
    EXPECT_EQ(tally.unit_fraction(1000), 0.0);
}

}  // namespace
}  // namespace tessera
