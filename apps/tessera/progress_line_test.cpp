#include "tessera/progress_line.h"

#include "base/utf8.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

namespace tessera::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Terminal kUnicode{true, false, true};
const Terminal kAscii{true, false, false};

ProgressState middle() {
    ProgressState state;
    state.phase = "step";
    state.caption = "一座灯塔 by the sea 🌅";
    state.step = 10;
    state.steps = 20;
    state.steps_per_second = 4.0;
    state.seconds_left = 2.5;
    return state;
}

TEST(ProgressLine, SaysStepRateAndTimeLeft) {
    EXPECT_EQ(progress_words(middle()), "step 10/20, 4.0 it/s, 2.5 s left");
}

TEST(ProgressLine, CountsPicturesWhenThereAreSeveral) {
    ProgressState state = middle();
    state.picture = 2;
    state.pictures = 4;
    EXPECT_THAT(progress_words(state), StartsWith("picture 2/4 step 10/20"));
}

TEST(ProgressLine, SaysSecondsPerStepWhenStepsAreSlow) {
    EXPECT_EQ(format_rate(0.4), "2.5 s/it");
}

TEST(ProgressLine, DrawsABarOfTheLocale) {
    EXPECT_THAT(progress_line(middle(), 100, kUnicode), StartsWith("▕██████████          ▏ step"));
    EXPECT_THAT(progress_line(middle(), 100, kAscii), StartsWith("[##########..........] step"));
}

TEST(ProgressLine, ColoursOnlyWhereAsked) {
    EXPECT_THAT(progress_line(middle(), 100, kUnicode), Not(HasSubstr("\x1b")));
    EXPECT_THAT(progress_line(middle(), 100, {true, true, true}), HasSubstr("\x1b[36m"));
}

TEST(ProgressLine, FitsEveryWidthExactlyWhateverItShows) {
    rc::check([](const std::string& caption) {
        ProgressState state = middle();
        state.caption = printable_line(caption);
        state.step = *rc::gen::inRange<std::size_t>(0, 21);
        const auto columns = *rc::gen::inRange<std::size_t>(1, 200);
        RC_ASSERT(display_width(progress_line(state, columns, kUnicode)) <= columns);
        RC_ASSERT(display_width(progress_line(state, columns, kAscii)) <= columns);
    });
}

TEST(ProgressLine, FillsALineOfWideCharactersToTheSameColumn) {
    ProgressState wide = middle();
    ProgressState narrow = middle();
    narrow.caption = "a lighthouse";
    EXPECT_EQ(
        display_width(progress_line(wide, 100, kUnicode)),
        display_width(progress_line(narrow, 100, kUnicode))
    );
}

}  // namespace
}  // namespace tessera::cli
