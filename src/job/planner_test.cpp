#include "job/planner.h"

#include "job/codec.h"
#include "job/cost.h"
#include "job/job_test.h"
#include "job/shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace tessera {
namespace {

using ::testing::HasSubstr;

ResolvedJob resolved_render(PixelSize size) {
    ResolvedJob resolved;
    resolved.recipe = "{}";
    resolved.affinity = "model";
    resolved.passes = {{{512, 512}, 20, true}};
    resolved.size = size;
    return resolved;
}

struct Question {
    JobSpec spec;
    ResolvedJob resolved;
};

Question any_question() {
    Question question;
    question.spec = testing::any_job_spec();
    question.spec.count = *rc::gen::inRange(1, 20);
    ResolvedJob& resolved = question.resolved;
    resolved.recipe = testing::any_text();
    resolved.affinity = testing::any_text();
    resolved.size = {*rc::gen::inRange(1, 6000), *rc::gen::inRange(1, 6000)};
    const bool renders = question.spec.kind == JobKind::kRender;
    for (int i = renders ? *rc::gen::inRange(1, 3) : 0; i > 0; --i) {
        resolved.passes.push_back(
            {{*rc::gen::inRange(64, 2000), *rc::gen::inRange(64, 2000)},
             *rc::gen::inRange(0, 60),
             *rc::gen::arbitrary<bool>()}
        );
    }
    if (!renders || *rc::gen::arbitrary<bool>()) {
        resolved.enlargement =
            Enlargement{*rc::gen::element(1.0, 2.0, 4.0, 2.5), *rc::gen::inRange(256, 2048)};
    }
    if (!renders) {
        question.spec.init = testing::any_hash();
    }
    return question;
}

TEST(Planner, GivesPlansThatCanBeStored) {
    EXPECT_TRUE(rc::check([] {
        const Question question = any_question();
        const auto plan = plan_job(question.spec, question.resolved);
        RC_ASSERT(plan.has_value());
        const auto again = decode_job_plan(encode(*plan));
        RC_ASSERT(again.has_value());
        RC_ASSERT(*again == *plan);
        RC_ASSERT(*plan == *plan_job(question.spec, question.resolved));
        RC_ASSERT(plan->spec == question.spec);
        RC_ASSERT(plan->recipe == question.resolved.recipe);
        RC_ASSERT(plan->affinity == question.resolved.affinity);
    }));
}

TEST(Planner, PublishesEachPictureOnceAndLast) {
    EXPECT_TRUE(rc::check([] {
        const Question question = any_question();
        const auto plan = plan_job(question.spec, question.resolved);
        RC_ASSERT(plan.has_value());
        const auto count = static_cast<std::size_t>(question.spec.count);
        std::vector<int> published(plan->units.size());
        std::vector<int> needed(plan->tasks.size());
        for (std::size_t i = 0; i < plan->tasks.size(); ++i) {
            const TaskPlan& task = plan->tasks[i];
            published[static_cast<std::size_t>(task.unit)] += task.publishes ? 1 : 0;
            for (const int need : task.needs) {
                RC_ASSERT(need >= 0);
                RC_ASSERT(static_cast<std::size_t>(need) < i);
                ++needed[static_cast<std::size_t>(need)];
            }
        }
        for (std::size_t unit = 0; unit < plan->units.size(); ++unit) {
            RC_ASSERT(plan->units[unit].part_of.has_value() == (unit >= count));
            RC_ASSERT(published[unit] == (unit < count ? 1 : 0));
        }
        for (std::size_t i = 0; i < plan->tasks.size(); ++i) {
            // What nobody takes up is a published picture, and nothing is taken up after that.
            RC_ASSERT((needed[i] == 0) == plan->tasks[i].publishes);
        }
    }));
}

TEST(Planner, TilesCoverTheirPictureAndAreMergedOnce) {
    EXPECT_TRUE(rc::check([] {
        const Question question = any_question();
        const auto plan = plan_job(question.spec, question.resolved);
        RC_ASSERT(plan.has_value());
        std::vector<std::int64_t> pixels(plan->units.size());
        for (const TaskPlan& task : plan->tasks) {
            if (task.kind != TaskKind::kMerge) {
                continue;
            }
            const auto picture = static_cast<std::size_t>(task.unit);
            for (const int need : task.needs) {
                const TaskPlan& part = plan->tasks[static_cast<std::size_t>(need)];
                const UnitPlan& tile = plan->units[static_cast<std::size_t>(part.unit)];
                RC_ASSERT(part.kind == TaskKind::kUpscale);
                RC_ASSERT(tile.part_of == task.unit);
                pixels[picture] += std::int64_t{tile.region.width} * tile.region.height;
            }
        }
        const auto tiles = std::ranges::count_if(plan->units, [](const UnitPlan& unit) {
            return unit.part_of.has_value();
        });
        for (std::size_t unit = 0; unit < static_cast<std::size_t>(question.spec.count); ++unit) {
            const TileRegion whole = plan->units[unit].region;
            RC_ASSERT(pixels[unit] == (tiles == 0 ? 0 : std::int64_t{whole.width} * whole.height));
        }
    }));
}

TEST(Planner, CostsArePositiveAndAddUpToTheExpectedWork) {
    EXPECT_TRUE(rc::check([] {
        const Question question = any_question();
        const auto plan = plan_job(question.spec, question.resolved);
        const auto work = expected_work(question.spec, question.resolved);
        RC_ASSERT(plan.has_value());
        RC_ASSERT(work.has_value());
        double sum = 0.0;
        for (const TaskPlan& task : plan->tasks) {
            RC_ASSERT(task.cost > 0.0);
            sum += task.cost;
        }
        RC_ASSERT(work->tasks == plan->tasks.size());
        RC_ASSERT(std::abs(work->cost - sum) <= 1e-9 * sum);
    }));
}

TEST(Planner, MakesOneTaskOfASmallPicture) {
    JobSpec spec;
    spec.count = 3;
    ResolvedJob resolved = resolved_render({2048, 2048});
    resolved.enlargement = Enlargement{4.0, 512};
    const auto plan = plan_job(spec, resolved);
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_EQ(plan->tasks.size(), 3U);
    for (int i = 0; i < 3; ++i) {
        const TaskPlan& task = plan->tasks[static_cast<std::size_t>(i)];
        EXPECT_EQ(task.kind, TaskKind::kRender);
        EXPECT_EQ(task.unit, i);
        EXPECT_TRUE(task.publishes);
        EXPECT_EQ(plan->units[static_cast<std::size_t>(i)], (UnitPlan{{}, {0, 0, 2048, 2048}}));
    }
}

TEST(Planner, SharesALargeEnlargementAmongWorkers) {
    JobSpec spec;
    spec.count = 2;
    ResolvedJob resolved = resolved_render({2048, 2052});
    resolved.enlargement = Enlargement{4.0, 1536};
    const auto plan = plan_job(spec, resolved);
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_EQ(plan->units.size(), 2U + 8U);
    EXPECT_EQ(plan->units[2], (UnitPlan{0, {0, 0, 1024, 1024}}));
    EXPECT_EQ(plan->units[9], (UnitPlan{1, {1024, 1024, 1024, 1028}}));
    ASSERT_EQ(plan->tasks.size(), 12U);
    EXPECT_EQ(plan->tasks[6].kind, TaskKind::kRender);
    EXPECT_EQ(plan->tasks[6].unit, 1);
    EXPECT_FALSE(plan->tasks[6].publishes);
    EXPECT_EQ(plan->tasks[10].kind, TaskKind::kUpscale);
    EXPECT_EQ(plan->tasks[10].unit, 9);
    EXPECT_EQ(plan->tasks[10].needs, std::vector<int>({6}));
    EXPECT_EQ(plan->tasks[11].kind, TaskKind::kMerge);
    EXPECT_EQ(plan->tasks[11].unit, 1);
    EXPECT_EQ(plan->tasks[11].needs, std::vector<int>({7, 8, 9, 10}));
    EXPECT_TRUE(plan->tasks[11].publishes);
}

TEST(Planner, RendersLargePicturesThatNoNetworkEnlargesWhole) {
    const auto plan = plan_job(JobSpec(), resolved_render({4096, 4096}));
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->tasks.size(), 1U);
}

TEST(Planner, EnlargesWithoutRenderingForAnUpscaleJob) {
    JobSpec spec;
    spec.kind = JobKind::kUpscale;
    spec.init = std::string(64, '0');
    ResolvedJob resolved;
    resolved.size = {4096, 2048};
    resolved.enlargement = Enlargement{2.0, 2048};
    const auto plan = plan_job(spec, resolved);
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_EQ(plan->tasks.size(), 3U);
    EXPECT_EQ(plan->tasks[0].kind, TaskKind::kUpscale);
    EXPECT_TRUE(plan->tasks[0].needs.empty());
    EXPECT_EQ(plan->tasks[2].needs, std::vector<int>({0, 1}));

    spec.init.clear();
    EXPECT_THAT(plan_job(spec, resolved).error().message, HasSubstr("init is missing"));
}

TEST(Planner, RefusesMoreTasksThanAPlanCanHave) {
    JobSpec spec;
    spec.count = 10'000;
    ResolvedJob resolved = resolved_render({4096, 4096});
    resolved.enlargement = Enlargement{4.0, 1024};
    const auto plan = plan_job(spec, resolved);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(
        plan.error().message,
        "count is 10000: with 18 tasks for each picture that is 180000, 32768 are allowed"
    );
}

TEST(Planner, RefusesSpecsThatCouldNotBeStored) {
    JobSpec spec;
    spec.webhook.assign(4000, 'w');
    const auto plan = plan_job(spec, resolved_render({512, 512}));
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(plan.error().message, "webhook has 4000 bytes, 2048 are allowed");
}

TEST(Cost, CountsMegapixelStepsAndTheirFringes) {
    const std::vector<DenoisePass> guided{{{1000, 1000}, 20, true}};
    const std::vector<DenoisePass> unguided{{{1000, 1000}, 20, false}};
    EXPECT_DOUBLE_EQ(render_cost(guided, false), 40.0 + kDecodeSteps);
    EXPECT_DOUBLE_EQ(render_cost(unguided, false), 20.0 + kDecodeSteps);
    EXPECT_DOUBLE_EQ(render_cost(guided, true), 40.0 + kDecodeSteps + kEncodeSteps);
    const std::vector<DenoisePass> two{{{1000, 1000}, 20, true}, {{2000, 1000}, 10, true}};
    EXPECT_DOUBLE_EQ(
        render_cost(two, false), 40.0 + kDecodeSteps + 2.0 * (20.0 + kDecodeSteps + kEncodeSteps)
    );
    EXPECT_DOUBLE_EQ(enlarge_cost({2000, 2000}), 4.0 * kEnlargeSteps);
    EXPECT_DOUBLE_EQ(merge_cost({2000, 2000}), 4.0 * kMergeSteps);
}

}  // namespace
}  // namespace tessera
