#include "base/utf8.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(Utf8, AcceptsEveryPlaneAndRefusesWhatRfc3629Forbids) {
    EXPECT_TRUE(check_utf8(""));
    EXPECT_TRUE(check_utf8("plain, \xC3\xA9, 雪山, \xF0\x9F\x8F\x94"));
    for (const char* bad :
         {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE9\x9B", "\x80"}) {
        EXPECT_FALSE(check_utf8(bad)) << bad;
    }
}

TEST(Utf8, SaysWhereTheTextBreaks) {
    const auto status = check_utf8("ab\xFFz");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, "byte 2 (0xff) is not valid UTF-8");
}

TEST(Utf8, CountsTerminalColumns) {
    EXPECT_EQ(display_width("abc"), 3U);
    EXPECT_EQ(display_width("雪山"), 4U);
    EXPECT_EQ(display_width("e\xCC\x81"), 1U);
}

TEST(Utf8, FitsTextToColumnsWithoutSplittingCharacters) {
    EXPECT_EQ(fit_to_width("ab", 4), "ab  ");
    EXPECT_EQ(fit_to_width("abcdef", 4), "abc…");
    EXPECT_EQ(fit_to_width("雪山雪山", 4), "雪… ");
    EXPECT_EQ(fit_to_width("雪山", 4), "雪山");
    EXPECT_EQ(fit_to_width("abc", 0), "");
}

}  // namespace
}  // namespace tessera
