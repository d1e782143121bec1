#include "prompt/composition.h"

#include <gmock/gmock.h>

namespace tessera {
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;
using ::testing::HasSubstr;

TEST(Composition, SplitsAtTheWordAndTakesWeightsOff) {
    EXPECT_THAT(
        split_composition("a cat :1.2 AND a dog").value(),
        ElementsAre(FieldsAre("a cat", 1.2), FieldsAre(" a dog", 1.0))
    );
    EXPECT_THAT(
        split_composition("a : -.5 \nAND\u3000b:2. AND c:+3").value(),
        ElementsAre(FieldsAre("a", -0.5), FieldsAre("\u3000b", 2.0), FieldsAre(" c", 3.0))
    );
    EXPECT_THAT(split_composition("").value(), ElementsAre(FieldsAre("", 1.0)));
}

TEST(Composition, KnowsTheWordInCapitalsOnly) {
    EXPECT_THAT(
        split_composition("SAND and LANDS ANDES _AND \u00E9AND").value(),
        ElementsAre(FieldsAre("SAND and LANDS ANDES _AND \u00E9AND", 1.0))
    );
}

TEST(Composition, LeavesOtherColonsInTheText) {
    EXPECT_THAT(split_composition("a: b").value(), ElementsAre(FieldsAre("a: b", 1.0)));
    EXPECT_THAT(split_composition("(a:1.2)").value(), ElementsAre(FieldsAre("(a:1.2)", 1.0)));
    EXPECT_THAT(
        split_composition("a:1e3 AND b:.").value(),
        ElementsAre(FieldsAre("a:1e3", 1.0), FieldsAre(" b:.", 1.0))
    );
    EXPECT_THAT(split_composition("at 16:9").value(), ElementsAre(FieldsAre("at 16", 9.0)));
}

TEST(Composition, RefusesWeightsOutOfRangeAndTooManyParts) {
    EXPECT_EQ(
        split_composition("a cat :101 AND b").error().message,
        "the weight \"101\" of \"a cat\" is not between -100 and 100"
    );
    EXPECT_THAT(
        split_composition("a:-" + std::string(999, '9')).error().message, HasSubstr("not between")
    );
    std::string many = "a";
    for (int i = 0; i < 63; ++i) {
        many += " AND a";
    }
    EXPECT_EQ(split_composition(many).value().size(), 64U);
    EXPECT_THAT(
        split_composition(many + " AND a").error().message, HasSubstr("more than 64 parts")
    );
}

}  // namespace
}  // namespace tessera
