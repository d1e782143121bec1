#include "inference/port.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

const std::vector<Port>& ports() {
    static const std::vector<Port> known{
        {.name = "sample",
         .type = ElementType::kFloat,
         .shape = {-1, 4, -1},
         .symbols = {"batch", "", "width"}},
        {.name = "ids", .type = ElementType::kInt64, .shape = {-1, 2}, .symbols = {"batch", ""}},
    };
    return known;
}

const Tensor& sample() {
    static const Tensor zeros(Shape{3, 4, 5});
    return zeros;
}

const IdTensor& ids() {
    static const IdTensor zeros(Shape{3, 2});
    return zeros;
}

std::string message(const std::vector<Input>& inputs) {
    const auto order = match_inputs(ports(), inputs);
    EXPECT_FALSE(order.has_value());
    if (order) {
        return "";
    }
    EXPECT_EQ(order.error().kind, ErrorKind::kInvalidArgument);
    return order.error().message;
}

TEST(MatchInputs, PutsThemInTheOrderOfThePorts) {
    const std::vector<Input> inputs{{"ids", ids()}, {"sample", sample()}};
    const auto order = match_inputs(ports(), inputs);
    ASSERT_TRUE(order.has_value()) << order.error().message;
    EXPECT_EQ(*order, (std::vector<std::size_t>{1, 0}));
}

TEST(MatchInputs, NamesTheMissingOne) {
    EXPECT_EQ(message({{"sample", sample()}}), "input \"ids\" is missing");
}

TEST(MatchInputs, NamesTheKnownOnesForAnUnknown) {
    EXPECT_EQ(
        message({{"smaple", sample()}, {"ids", ids()}}),
        "there is no input \"smaple\"; the inputs are sample, ids"
    );
}

TEST(MatchInputs, RefusesOneGivenTwice) {
    EXPECT_EQ(
        message({{"ids", ids()}, {"sample", sample()}, {"ids", ids()}}),
        "input \"ids\" is given twice"
    );
}

TEST(MatchInputs, RefusesTheOtherElementType) {
    const Tensor floats(Shape{3, 2});
    EXPECT_EQ(
        message({{"sample", sample()}, {"ids", floats}}),
        "input \"ids\" takes 64-bit integers, not floats"
    );
}

TEST(MatchInputs, SaysWhichShapeIsTaken) {
    const Tensor wrong(Shape{3, 5, 5});
    EXPECT_EQ(
        message({{"sample", wrong}, {"ids", ids()}}),
        "input \"sample\" has the shape [3, 5, 5]; it takes [batch, 4, width]"
    );
    const Tensor flat(Shape{3, 4});
    EXPECT_EQ(
        message({{"sample", flat}, {"ids", ids()}}),
        "input \"sample\" has the shape [3, 4]; it takes [batch, 4, width]"
    );
}

TEST(MatchInputs, WantsOneSizePerNamedDimension) {
    const IdTensor fewer(Shape{2, 2});
    EXPECT_EQ(
        message({{"sample", sample()}, {"ids", fewer}}),
        "the dimension \"batch\" is 3 in input \"sample\" but 2 in input \"ids\""
    );
}

TEST(MatchInputs, RefusesShapesThatLieAboutTheValues) {
    Tensor lying(Shape{3, 4, 5});
    lying.shape = {3, 4, 6};
    EXPECT_EQ(
        message({{"sample", lying}, {"ids", ids()}}),
        "input \"sample\" of shape [3, 4, 6] needs 72 values but has 60"
    );
    for (const std::int64_t size : {std::int64_t{0}, std::int64_t{-5}, std::int64_t{1} << 62U}) {
        lying.shape = {3, 4, size};
        EXPECT_NE(
            message({{"sample", lying}, {"ids", ids()}}).find("impossible"), std::string::npos
        );
    }
}

}  // namespace
}  // namespace tessera
