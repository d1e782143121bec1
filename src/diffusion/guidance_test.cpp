#include "diffusion/guidance.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(Guidance, MovesFromUnconditionalThroughConditional) {
    const Tensor unconditional(Shape{1, 2}, {1.0F, -2.0F});
    const Tensor conditional(Shape{1, 2}, {2.0F, -4.0F});
    EXPECT_EQ(guide(unconditional, conditional, 0.0)->values, unconditional.values);
    EXPECT_EQ(guide(unconditional, conditional, 1.0)->values, conditional.values);
    EXPECT_EQ(guide(unconditional, conditional, 7.5)->values, (std::vector<float>{8.5F, -17.0F}));
}

TEST(Guidance, HalvesAreUnconditionalFirst) {
    const Tensor both(Shape{2, 2}, {1.0F, -2.0F, 2.0F, -4.0F});
    const auto guided = guide_halves(both, 7.5);
    ASSERT_TRUE(guided);
    EXPECT_EQ(guided->shape, (Shape{1, 2}));
    EXPECT_EQ(guided->values, (std::vector<float>{8.5F, -17.0F}));
}

TEST(Guidance, RefusesWhatDoesNotPair) {
    EXPECT_FALSE(guide(Tensor(Shape{1, 2}), Tensor(Shape{2, 1}), 1.0));
    EXPECT_FALSE(guide_halves(Tensor(Shape{3, 2}), 1.0));
}

}  // namespace
}  // namespace tessera
