#include "job/fitted_text.h"

#include "base/utf8.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera {
namespace {

TEST(FittedText, LeavesGoodTextAlone) {
    EXPECT_EQ(text_beginning("雪山", 6), "雪山");
    EXPECT_EQ(text_end("雪山", 6), "雪山");
    EXPECT_EQ(text_end("", 0), "");
}

TEST(FittedText, CutsBetweenCharacters) {
    EXPECT_EQ(text_beginning("雪山", 5), "雪");
    EXPECT_EQ(text_beginning("雪山", 2), "");
    EXPECT_EQ(text_end("雪山", 5), "山");
    EXPECT_EQ(text_end("ab", 1), "b");
}

TEST(FittedText, MendsSingleBytes) {
    EXPECT_EQ(text_beginning("a\x80 é\x80 \xE9\x9B", 100), "a? é? ??");
    EXPECT_EQ(text_end("\xFF\xFEx", 100), "??x");
}

TEST(FittedText, MakesTextOfAnyBytesWithinTheLimit) {
    EXPECT_TRUE(rc::check([](const std::string& bytes) {
        const auto limit = *rc::gen::inRange<std::size_t>(0, bytes.size() + 2);
        for (const auto& text : {text_beginning(bytes, limit), text_end(bytes, limit)}) {
            RC_ASSERT(text.size() <= limit);
            RC_ASSERT(text.size() + 3 >= std::min(limit, bytes.size()));
            RC_ASSERT(check_utf8(text).has_value());
        }
    }));
}

}  // namespace
}  // namespace tessera
