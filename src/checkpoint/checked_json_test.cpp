#include "checkpoint/checked_json.h"

#include "checkpoint/temporary_folder_test.h"

#include <gmock/gmock.h>

namespace tessera {
namespace {

struct Refusal {
    std::string name;
    std::string text;
    std::string message;
};

class CheckedJsonRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(CheckedJsonRefusal, SaysWhy) {
    const auto outcome = check_json(GetParam().text, 4);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(outcome.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Texts,
    CheckedJsonRefusal,
    ::testing::Values(
        Refusal{"Nothing", "", "not valid JSON at byte 1"},
        Refusal{"Unfinished", R"({"a": 1)", "not valid JSON at byte 8"},
        Refusal{"TrailingText", R"({"a": 1} x)", "not valid JSON at byte 10"},
        Refusal{"TextAfterANul", std::string("{}\0{", 4), "not valid JSON at byte 3"},
        Refusal{"BadUtf8", "{\"a\": \"\xff\"}", "not valid JSON: byte 7 (0xff) is not valid UTF-8"},
        Refusal{"HugeNumber", R"({"a": 1e999})", "not valid JSON at byte 11"},
        Refusal{"Array", "[]", "not a JSON object"},
        Refusal{"Scalar", "5", "not a JSON object"},
        Refusal{"DuplicateKey", R"({"a": 1, "a": 2})", R"(the key "a" occurs twice)"},
        Refusal{"DuplicateKeyByEscape", R"({"a": 1, "\u0061": 2})", R"(the key "a" occurs twice)"},
        Refusal{"DuplicateKeyBelow", R"({"b": [{"a": 1, "a": 2}]})", R"(the key "a" occurs twice)"},
        Refusal{"TooDeep", R"({"a": [[[[]]]]})", "JSON is nested more than 4 levels deep"}
    ),
    [](const auto& test) { return test.param.name; }
);

TEST(CheckedJson, AcceptsTheSameKeyInDifferentObjects) {
    EXPECT_TRUE(check_json(R"({"a": {"a": [{"a": null}, {"a": true}]}})"));
}

TEST(CheckedJson, AMillionBracketsAreRefusedWithoutRecursion) {
    EXPECT_FALSE(check_json("{\"a\": " + std::string(1'000'000, '[')));
}

class CheckedJsonFile : public TemporaryFolderTest {};

TEST_F(CheckedJsonFile, ReadsWhatIsGood) {
    EXPECT_EQ(read_json_file(put("config.json", R"({"a": 1})")), R"({"a": 1})");
}

TEST_F(CheckedJsonFile, ErrorsNameTheFileAndTheMend) {
    const auto outcome = read_json_file(put("config.json", R"({"a")"));
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message, testing::HasSubstr("config.json: not valid JSON at byte"));
    EXPECT_THAT(outcome.error().message, testing::EndsWith("; mend it or download it again"));
    EXPECT_FALSE(read_json_file(folder_ / "missing.json"));
}

}  // namespace
}  // namespace tessera
