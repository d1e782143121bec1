#include "prompt/emphasis.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace tessera {
namespace {

using ::testing::ElementsAre;

TEST(Emphasis, WeighsPositionsAndRestoresTheMean) {
    Tensor hidden({1, 3, 2}, {1, 3, 2, 2, 4, 0});
    ASSERT_TRUE(apply_emphasis(hidden, std::vector<float>{1, 2, 0.5F}));
    // Weighted 1 3 4 4 2 0: the mean went from 12 to 14 sixths.
    EXPECT_THAT(
        hidden.values,
        ElementsAre(
            testing::FloatEq(6 / 7.F),
            testing::FloatEq(18 / 7.F),
            testing::FloatEq(24 / 7.F),
            testing::FloatEq(24 / 7.F),
            testing::FloatEq(12 / 7.F),
            0
        )
    );
}

TEST(Emphasis, LeavesUnweightedTextUntouched) {
    const Tensor before({1, 2, 2}, {0.1F, 0.7F, -0.3F, 0.9F});
    Tensor hidden = before;
    ASSERT_TRUE(apply_emphasis(hidden, std::vector<float>{1, 1}));
    EXPECT_EQ(hidden, before);
}

TEST(Emphasis, TakesOneMeanOfTheWholeBatch) {
    Tensor hidden({2, 1, 1}, {1, 3});
    ASSERT_TRUE(apply_emphasis(hidden, std::vector<float>{1, 5}));
    EXPECT_THAT(hidden.values, ElementsAre(0.25F, 3.75F));
}

TEST(Emphasis, StaysFiniteWhereTheMeanIsZero) {
    Tensor hidden({1, 2, 1}, {1, 2});
    ASSERT_TRUE(apply_emphasis(hidden, std::vector<float>{0, 0}));
    EXPECT_THAT(hidden.values, ElementsAre(0, 0));
}

TEST(Emphasis, RefusesShapesThatDoNotAgree) {
    Tensor hidden({1, 2, 1}, {1, 2});
    EXPECT_EQ(apply_emphasis(hidden, std::vector<float>{1}).error().kind, ErrorKind::kInternal);
    Tensor flat({2}, {1, 2});
    EXPECT_EQ(apply_emphasis(flat, std::vector<float>{1, 1}).error().kind, ErrorKind::kInternal);
}

TEST(Emphasis, KeepsTheMeanOfPositiveStates) {
    rc::check([] {
        const auto weights = *rc::gen::container<std::vector<float>>(
            4,
            rc::gen::map(
                rc::gen::inRange(1, 300), [](int n) { return static_cast<float>(n) / 100; }
            )
        );
        Tensor hidden({1, 4, 3});
        for (float& value : hidden.values) {
            value = static_cast<float>(*rc::gen::inRange(1, 100));
        }
        const auto sum = [&] {
            return std::accumulate(hidden.values.begin(), hidden.values.end(), 0.0);
        };
        const double before = sum();
        RC_ASSERT(apply_emphasis(hidden, weights).has_value());
        RC_ASSERT(std::abs(sum() - before) <= 1e-5 * before);
    });
}

}  // namespace
}  // namespace tessera
