#include "diffusion/guidance.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace tessera {
namespace {

std::vector<float> guided(const Tensor& without, const Tensor& with, double scale) {
    const std::array<Condition, 1> conditions{{{1.0, with}}};
    return guide(without, conditions, scale)->values;
}

TEST(Guidance, MovesFromUnconditionalThroughConditional) {
    const Tensor unconditional(Shape{1, 2}, {1.0F, -2.0F});
    const Tensor conditional(Shape{1, 2}, {2.0F, -4.0F});
    EXPECT_EQ(guided(unconditional, conditional, 0.0), unconditional.values);
    EXPECT_EQ(guided(unconditional, conditional, 1.0), conditional.values);
    EXPECT_EQ(guided(unconditional, conditional, 7.5), (std::vector<float>{8.5F, -17.0F}));
}

TEST(Guidance, AddsTheWeightedPullsOfSeveralPrompts) {
    const Tensor unconditional(Shape{1, 2}, {1.0F, 1.0F});
    const Tensor cat(Shape{1, 2}, {2.0F, 1.0F});
    const Tensor dog(Shape{1, 2}, {1.0F, 3.0F});
    const std::array<Condition, 2> conditions{{{1.0, cat}, {0.5, dog}}};
    EXPECT_EQ(guide(unconditional, conditions, 4.0)->values, (std::vector<float>{5.0F, 5.0F}));
}

TEST(Guidance, RefusesWhatDoesNotPair) {
    const Tensor one(Shape{1, 2});
    const Tensor other(Shape{2, 1});
    const std::array<Condition, 1> conditions{{{1.0, other}}};
    EXPECT_FALSE(guide(one, conditions, 2.0));
    EXPECT_FALSE(rescale_guided(one, other, 0.5));
}

TEST(Guidance, RescalingBringsBackEachPicturesOwnDeviation) {
    // Two pictures; the guided ones deviate 4 and 1 times as much as the conditional ones.
    const Tensor conditional(Shape{2, 3}, {-1.0F, 0.0F, 1.0F, -2.0F, 0.0F, 2.0F});
    const Tensor guided_ones(Shape{2, 3}, {-4.0F, 0.0F, 4.0F, -2.0F, 0.0F, 2.0F});
    EXPECT_EQ(rescale_guided(guided_ones, conditional, 0.0)->values, guided_ones.values);
    EXPECT_EQ(rescale_guided(guided_ones, conditional, 1.0)->values, conditional.values);
    const auto half = rescale_guided(guided_ones, conditional, 0.5);
    EXPECT_EQ(half->values, (std::vector<float>{-2.5F, 0.0F, 2.5F, -2.0F, 0.0F, 2.0F}));
}

TEST(Guidance, RescalingAFlatPredictionLeavesNumbers) {
    const Tensor flat(Shape{1, 2}, {3.0F, 3.0F});
    EXPECT_EQ(rescale_guided(flat, flat, 1.0)->values, flat.values);
}

TEST(Guidance, HoldsInItsIntervalAndAboveOne) {
    Guidance guidance;
    guidance.begin = 0.25;
    guidance.end = 0.75;
    std::string steps;
    for (std::size_t step = 0; step < 8; ++step) {
        steps += guidance.applies_at(step, 8) ? 'g' : '-';
    }
    EXPECT_EQ(steps, "--gggg--");
    guidance.scale = 1.0;
    EXPECT_FALSE(guidance.applies_at(4, 8));
    EXPECT_TRUE(Guidance{}.applies_at(0, 1));
    EXPECT_TRUE(Guidance{}.applies_at(19, 20));
}

TEST(Guidance, RefusesNumbersOutOfRange) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(check(Guidance{}));
    for (const double scale : {0.9, -1.0, 101.0, nan}) {
        EXPECT_FALSE(check(Guidance{scale, 0.0, 0.0, 1.0})) << scale;
    }
    for (const double share : {-0.1, 1.1, nan}) {
        EXPECT_FALSE(check(Guidance{7.0, share, 0.0, 1.0})) << share;
        EXPECT_FALSE(check(Guidance{7.0, 0.0, share, 1.0})) << share;
        EXPECT_FALSE(check(Guidance{7.0, 0.0, 0.0, share})) << share;
    }
    EXPECT_FALSE(check(Guidance{7.0, 0.0, 0.6, 0.4}));
}

}  // namespace
}  // namespace tessera
