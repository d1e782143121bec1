#include "tessera/grid_axes.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <set>

namespace tessera::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Grid grid_of(const std::vector<std::string>& texts) {
    auto grid = Grid::parse(texts);
    EXPECT_TRUE(grid) << grid.error().message;
    return grid.value_or(Grid());
}

std::vector<std::string> values_of(const std::string& text) {
    const Grid grid = grid_of({text});
    return grid.axes().empty() ? std::vector<std::string>() : grid.axes().front().values;
}

Error refusal(const std::vector<std::string>& texts) {
    const auto grid = Grid::parse(texts);
    EXPECT_FALSE(grid) << texts.front();
    return grid ? Error{ErrorKind::kInternal, ""} : grid.error();
}

TEST(GridAxes, ReadsTheUsualTwo) {
    const Grid grid = grid_of({"sampler=euler a, DDIM", "cfg=3,5,7.5"});
    ASSERT_EQ(grid.axes().size(), 2U);
    EXPECT_EQ(grid.axes()[0].name, "sampler");
    EXPECT_EQ(grid.axes()[0].option, PictureOption::kSampler);
    EXPECT_THAT(grid.axes()[0].values, ElementsAre("Euler a", "DDIM"));
    EXPECT_THAT(grid.axes()[0].labels, ElementsAre("Euler a", "DDIM"));
    EXPECT_THAT(grid.axes()[1].values, ElementsAre("3", "5", "7.5"));
    EXPECT_THAT(grid.axes()[1].labels, ElementsAre("cfg 3", "cfg 5", "cfg 7.5"));
    EXPECT_EQ(grid.columns(), 2U);
    EXPECT_EQ(grid.rows(), 3U);
    EXPECT_EQ(grid.sheets(), 1U);
}

TEST(GridAxes, TakesA1111sLabels) {
    EXPECT_EQ(grid_of({"CFG Scale=1"}).axes()[0].option, PictureOption::kCfg);
    EXPECT_EQ(grid_of({"Var. seed=1"}).axes()[0].option, PictureOption::kVariationSeed);
    EXPECT_EQ(grid_of({"Denoising=0.5"}).axes()[0].option, PictureOption::kStrength);
    EXPECT_EQ(grid_of({"Clip skip=1-3"}).axes()[0].option, PictureOption::kClipSkip);
    EXPECT_EQ(grid_of({"RNG source=NV"}).axes()[0].values.front(), "cuda");
    EXPECT_FALSE(grid_of({"Prompt S/R=cat,dog"}).axes()[0].option);
}

TEST(GridAxes, ExpandsRanges) {
    EXPECT_THAT(values_of("steps=10-13"), ElementsAre("10", "11", "12", "13"));
    EXPECT_THAT(values_of("steps=10-30+10"), ElementsAre("10", "20", "30"));
    EXPECT_THAT(values_of("steps=10-30 (+15), 50"), ElementsAre("10", "25", "50"));
    EXPECT_THAT(values_of("steps=30-10 (-10)"), ElementsAre("30", "20", "10"));
    EXPECT_THAT(values_of("steps=1-10 [5]"), ElementsAre("1", "3", "5", "7", "10"));
    EXPECT_THAT(values_of("steps=7-7"), ElementsAre("7"));
    EXPECT_THAT(values_of("steps=7-9[1]"), ElementsAre("7"));
    EXPECT_THAT(values_of("strength=0.1-0.3+0.1"), ElementsAre("0.1", "0.2", "0.3"));
    EXPECT_THAT(values_of("cfg=0-1[3]"), ElementsAre("0", "0.5", "1"));
    EXPECT_THAT(values_of("cfg=-2-1"), ElementsAre("-2", "-1", "0", "1"));
    EXPECT_THAT(values_of("seed=-1,1-3"), ElementsAre("-1", "1", "2", "3"));
    EXPECT_THAT(values_of("seed=18446744073709551615"), ElementsAre("18446744073709551615"));
    // No number, no range.
    EXPECT_THAT(values_of("cfg-interval=0.2-0.8,0-1"), ElementsAre("0.2-0.8", "0-1"));
    EXPECT_THAT(values_of("style=10-12"), ElementsAre("10-12"));
}

TEST(GridAxes, QuotesKeepCommas) {
    EXPECT_THAT(
        values_of(R"(sr="cat, black", dog ,"a ""b"" c","")"),
        ElementsAre("cat, black", "dog", "a \"b\" c", "")
    );
    EXPECT_THAT(values_of("prompt=a=b,雪山"), ElementsAre("a=b", "雪山"));
    EXPECT_EQ(grid_of({"model=/models/sd15/,tiny"}).axes()[0].labels.front(), "sd15/");
}

TEST(GridAxes, NamesWhatIsWrong) {
    EXPECT_THAT(refusal({"sampler"}).message, HasSubstr("AXIS=VALUES"));
    EXPECT_THAT(refusal({"sampel=Euler"}).message, HasSubstr("did you mean sampler?"));
    EXPECT_THAT(refusal({"zzzzzzzz=1"}).message, HasSubstr("there are sr, model, prompt"));
    EXPECT_EQ(refusal({"sampler=Eluer"}).kind, ErrorKind::kNotFound);
    EXPECT_THAT(refusal({"steps=ten"}).message, AllOf(HasSubstr("steps"), HasSubstr("\"ten\"")));
    EXPECT_THAT(refusal({"steps=0"}).message, HasSubstr("take 1 to 10000"));
    EXPECT_THAT(refusal({"cfg=nan"}).message, HasSubstr("nan"));
    EXPECT_THAT(refusal({"cfg=1e999"}).message, HasSubstr("1e999"));
    EXPECT_THAT(refusal({"seed=-5"}).message, HasSubstr("-1 for a random one"));
    EXPECT_THAT(refusal({"size=512"}).message, HasSubstr("WIDTHxHEIGHT"));
    EXPECT_THAT(refusal({"restore=perhaps"}).message, HasSubstr("on or off"));
    EXPECT_THAT(refusal({"steps=30-10"}).message, HasSubstr("never gets from 30 to 10"));
    EXPECT_THAT(refusal({"steps=1-5+0"}).message, HasSubstr("never gets"));
    EXPECT_THAT(refusal({"strength=0.2-0.8"}).message, HasSubstr("by how much"));
    EXPECT_THAT(refusal({"cfg=1,,2"}).message, HasSubstr("a value is missing"));
    EXPECT_THAT(refusal({"cfg="}).message, HasSubstr("a value is missing"));
    EXPECT_THAT(refusal({"sr=\"cat"}).message, HasSubstr("quote"));
    EXPECT_THAT(refusal({"sr=\"cat\"x,dog"}).message, HasSubstr("quote"));
    EXPECT_THAT(refusal({"sr=cat"}).message, HasSubstr("sr=cat,dog"));
    EXPECT_THAT(refusal({"sr=\"\",dog"}).message, HasSubstr("searched for"));
    EXPECT_THAT(refusal({"cfg=1", "CFG Scale=2"}).message, HasSubstr("twice"));
    EXPECT_THAT(refusal({"cfg=1", "steps=1", "seed=1", "eta=1"}).message, HasSubstr("here are 4"));
    EXPECT_THAT(refusal({"prompt=\xFF"}).message, HasSubstr("UTF-8"));
}

TEST(GridAxes, RefusesMoreCellsThanThereMayBe) {
    EXPECT_EQ(grid_of({"seed=1-400"}).cells().size(), 400U);
    EXPECT_EQ(refusal({"seed=1-401"}).kind, ErrorKind::kExhausted);
    EXPECT_EQ(refusal({"seed=1-400,7"}).kind, ErrorKind::kExhausted);
    EXPECT_EQ(refusal({"seed=0-9007199254740991"}).kind, ErrorKind::kExhausted);
    EXPECT_EQ(refusal({"cfg=0-1[1000000]"}).kind, ErrorKind::kExhausted);
    EXPECT_THAT(
        refusal({"seed=1-21", "cfg=1-20"}).message,
        HasSubstr("the grid has 420 cells, and 400 is the most")
    );
    EXPECT_EQ(grid_of({"seed=1-10", "cfg=1-8", "steps=1-5"}).sheets(), 5U);
}

TEST(GridAxes, CostlyChangesAreRare) {
    const Grid grid = grid_of({"model=a,b", "cfg=1,2", "sr=cat,dog"});
    EXPECT_THAT(
        grid.cells(),
        ElementsAre(
            GridCell{0, 0, 0},
            GridCell{0, 1, 0},
            GridCell{0, 0, 1},
            GridCell{0, 1, 1},
            GridCell{1, 0, 0},
            GridCell{1, 1, 0},
            GridCell{1, 0, 1},
            GridCell{1, 1, 1}
        )
    );
    // Among equals columns go fastest.
    EXPECT_THAT(
        grid_of({"cfg=1,2", "steps=1,2"}).cells(),
        ElementsAre(GridCell{0, 0, 0}, GridCell{1, 0, 0}, GridCell{0, 1, 0}, GridCell{1, 1, 0})
    );
}

TEST(GridAxes, EachCellComesOnce) {
    EXPECT_TRUE(rc::check([] {
        static const std::vector<std::string> kNames{"model", "cfg", "steps", "prompt", "seed"};
        const auto names = *rc::gen::unique<std::vector<std::string>>(
            *rc::gen::inRange<std::size_t>(1, 4), rc::gen::elementOf(kNames)
        );
        std::vector<std::string> texts;
        std::size_t count = 1;
        for (const std::string& name : names) {
            const int values = *rc::gen::inRange(1, 7);
            count *= static_cast<std::size_t>(values);
            std::string text = name + "=1";
            for (int value = 2; value <= values; ++value) {
                text += fmt::format(",{}", value);
            }
            texts.push_back(text);
        }
        const auto cells = Grid::parse(texts).value().cells();
        RC_ASSERT(cells.size() == count);
        RC_ASSERT(std::set<GridCell>(cells.begin(), cells.end()).size() == count);
    }));
}

TEST(GridAxes, AnyTextIsNoDanger) {
    EXPECT_TRUE(rc::check([](const std::string& text) {
        for (const char* axis : {"cfg=", "sr=", "seed=1-", "steps=10-20[", ""}) {
            const auto grid = Grid::parse(std::vector<std::string>{axis + text});
            RC_ASSERT(grid || !grid.error().message.empty());
        }
    }));
}

TEST(GridAxes, OptionsStandInTheOrderOfTheirNumbers) {
    std::size_t number = 0;
    for (const PictureOptionInfo& option : picture_options()) {
        EXPECT_EQ(static_cast<std::size_t>(option.option), number++);
        EXPECT_EQ(&info(option.option), &option);
    }
    EXPECT_EQ(number, static_cast<std::size_t>(PictureOption::kOnlyMasked) + 1);
}

TEST(GridAxes, ReplacesEach) {
    EXPECT_EQ(replace_all("cat, catcat", "cat", "dog"), "dog, dogdog");
    EXPECT_EQ(replace_all("aaa", "aa", "b"), "ba");
    EXPECT_EQ(replace_all("cat", "", "x"), "cat");
    EXPECT_EQ(replace_all("cat", "cat", "cat and cat"), "cat and cat");
}

}  // namespace
}  // namespace tessera::cli
