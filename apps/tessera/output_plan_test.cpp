#include "tessera/output_plan.h"

#include "base/utf8.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tessera::cli {
namespace {

TEST(NameFromPrompt, JoinsWordsInLowerCase) {
    EXPECT_EQ(name_from_prompt("A Lighthouse, by the sea!"), "a-lighthouse-by-the-sea");
}

TEST(NameFromPrompt, EndsAfterAWholeWord) {
    EXPECT_EQ(
        name_from_prompt("a beautiful landscape with snowy mountains under a purple sky"),
        "a-beautiful-landscape-with-snowy-mountains-under"
    );
    EXPECT_EQ(
        name_from_prompt("a beautiful landscape with snowy mountains underneath"),
        "a-beautiful-landscape-with-snowy-mountains"
    );
}

TEST(NameFromPrompt, KeepsLettersOfAnyScript) {
    EXPECT_EQ(name_from_prompt("黄昏的灯塔，大海 🌅"), "黄昏的灯塔-大海-🌅");
    EXPECT_EQ(name_from_prompt("Küste　am Meer"), "küste-am-meer");
}

TEST(NameFromPrompt, IsNeverAPathNorHiddenNorTooLong) {
    rc::check([](const std::vector<std::string>& words) {
        std::string prompt;
        for (const std::string& word : words) {
            prompt += word + "/.";
        }
        if (!check_utf8(prompt)) {
            return;
        }
        const std::string name = name_from_prompt(prompt);
        RC_ASSERT(!name.empty());
        RC_ASSERT(name.size() <= 48);
        RC_ASSERT(name.find_first_of("/.\\ ") == std::string::npos);
        RC_ASSERT(name.front() != '-');
        RC_ASSERT(check_utf8(name).has_value());
    });
}

TEST(NameFromPrompt, StandsInForAPromptWithoutLetters) {
    EXPECT_EQ(name_from_prompt(""), "picture");
    EXPECT_EQ(name_from_prompt("../.."), "picture");
}

}  // namespace
}  // namespace tessera::cli
