#include "prompt/clip_vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kMerges = "#version: 0.2\na b\nab c</w>\n";
constexpr const char* kVocabulary =
    R"({"a": 0, "b": 1, "c</w>": 2, "ab": 3, "abc</w>": 4, "!": 5,
        "<|startoftext|>": 6, "<|endoftext|>": 7})";

ClipTokenizerTexts small_folder() {
    return {kVocabulary, kMerges, "", ""};
}

/// The error of reading `texts`, or nothing when they are accepted.
std::string complaint(const ClipTokenizerTexts& texts) {
    const auto vocabulary = read_clip_vocabulary(texts);
    if (vocabulary) {
        return "";
    }
    EXPECT_EQ(vocabulary.error().kind, ErrorKind::kCorrupt);
    return vocabulary.error().message;
}

std::string vocabulary_complaint(std::string vocab_json) {
    auto texts = small_folder();
    texts.vocab_json = std::move(vocab_json);
    return complaint(texts);
}

std::string merges_complaint(std::string merges_txt) {
    auto texts = small_folder();
    texts.merges_txt = std::move(merges_txt);
    return complaint(texts);
}

std::string config_complaint(std::string config) {
    auto texts = small_folder();
    texts.tokenizer_config_json = std::move(config);
    return complaint(texts);
}

TEST(ClipVocabulary, ReadsAFolderWithItsIds) {
    const auto tokenizer = ClipTokenizer::from_texts(small_folder());
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    EXPECT_EQ(tokenizer->vocabulary_size(), 8U);
    EXPECT_EQ(tokenizer->start_id(), 6);
    EXPECT_EQ(tokenizer->end_id(), 7);
    EXPECT_EQ(tokenizer->pad_id(), 7);
    EXPECT_EQ(tokenizer->ids("ABC abc"), (std::vector<TokenId>{4, 4}));
}

TEST(ClipVocabulary, TakesTheUnknownTokenForAByteWithoutASymbol) {
    auto texts = small_folder();
    const auto end = ClipTokenizer::from_texts(texts);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->ids("axc"), (std::vector<TokenId>{0, 7, 2}));
    texts.special_tokens_map_json = R"({"unk_token": "!"})";
    const auto sign = ClipTokenizer::from_texts(texts);
    ASSERT_TRUE(sign);
    EXPECT_EQ(sign->ids("axc"), (std::vector<TokenId>{0, 5, 2}));
    texts.special_tokens_map_json = R"({"unk_token": "?"})";
    EXPECT_EQ(
        complaint(texts),
        "the vocabulary lacks a symbol for byte 0x21, and the unknown token \"?\" to stand in"
    );
}

TEST(ClipVocabulary, TakesThePadTokenFromTheMapBeforeTheConfig) {
    auto texts = small_folder();
    texts.tokenizer_config_json = R"({"pad_token": "<|endoftext|>"})";
    texts.special_tokens_map_json = R"({"pad_token": {"content": "!"}})";
    auto tokenizer = ClipTokenizer::from_texts(texts);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    EXPECT_EQ(tokenizer->pad_id(), 5);
    const auto chunks = tokenizer->chunks("abc");
    ASSERT_TRUE(chunks);
    EXPECT_EQ(chunks->front().ids[2], 7);
    EXPECT_EQ(chunks->front().ids[3], 5);
    EXPECT_EQ(chunks->front().ids[76], 5);

    texts.tokenizer_config_json = R"({"pad_token": "a", "added_tokens_decoder": {}})";
    tokenizer = ClipTokenizer::from_texts(texts);
    ASSERT_TRUE(tokenizer);
    EXPECT_EQ(tokenizer->pad_id(), 0);
}

TEST(ClipVocabulary, KeepsThePadTokenAnOrdinarySignInPrompts) {
    ClipTokenizerTexts texts;
    texts.merges_txt = kMerges;
    texts.special_tokens_map_json = R"({"pad_token": "!"})";
    const auto tokenizer = ClipTokenizer::from_texts(texts);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    EXPECT_EQ(tokenizer->pad_id(), 0);
    EXPECT_EQ(tokenizer->ids("!"), (std::vector<TokenId>{256}));
}

TEST(ClipVocabulary, TakesOtherStartAndEndTokens) {
    auto texts = small_folder();
    texts.special_tokens_map_json = R"({"bos_token": "ab", "eos_token": {"content": "!"}})";
    const auto tokenizer = ClipTokenizer::from_texts(texts);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    EXPECT_EQ(tokenizer->start_id(), 3);
    EXPECT_EQ(tokenizer->end_id(), 5);
    EXPECT_EQ(tokenizer->ids("!abc"), (std::vector<TokenId>{5, 3, 2}));
    texts.special_tokens_map_json = R"({"eos_token": "</s>"})";
    EXPECT_EQ(complaint(texts), "the vocabulary lacks the end token \"</s>\"");
}

TEST(ClipVocabulary, HonoursChunkLengthAndLetterCase) {
    auto texts = small_folder();
    texts.tokenizer_config_json = R"({"model_max_length": 4, "do_lower_case": false})";
    const auto tokenizer = ClipTokenizer::from_texts(texts);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    EXPECT_EQ(tokenizer->ids("abc Abc"), (std::vector<TokenId>{4, 7, 1, 2}));
    const auto chunks = tokenizer->chunks("abc abc abc");
    ASSERT_TRUE(chunks);
    ASSERT_EQ(chunks->size(), 2U);
    EXPECT_THAT(chunks->at(0).ids, ElementsAre(6, 4, 4, 7));
    EXPECT_THAT(chunks->at(1).ids, ElementsAre(6, 4, 7, 7));

    texts.tokenizer_config_json = R"({"model_max_length": 1000000000000000019884624838656})";
    const auto unlimited = ClipTokenizer::from_texts(texts);
    ASSERT_TRUE(unlimited);
    EXPECT_EQ(unlimited->chunk_size(), 77U);
}

TEST(ClipVocabulary, RefusesAVocabularyThatIsNotOne) {
    EXPECT_EQ(vocabulary_complaint("{\"a\": 0,\n\"b\": }"), "vocab.json: line 2 is not valid JSON");
    EXPECT_EQ(vocabulary_complaint("{\"a\xFF\": 0}"), "vocab.json: line 1 is not valid JSON");
    EXPECT_EQ(vocabulary_complaint("{}"), "vocab.json: no tokens in it");
    for (const char* text : {"5", "[1]", "null", "\"a\""}) {
        EXPECT_EQ(
            vocabulary_complaint(text),
            "vocab.json: it is not a JSON object of tokens and their ids"
        );
    }
    for (const char* id : {"-1", "1048576", "1.5", "\"1\"", "null", "true", "[0]", "{}", "1e999"}) {
        EXPECT_THAT(
            vocabulary_complaint(fmt::format("{{\"a\": {}}}", id)), HasSubstr("vocab.json: ")
        ) << id;
    }
    EXPECT_EQ(
        vocabulary_complaint(R"({"a": -1})"),
        "vocab.json: the id of \"a\" is not an integer from 0 to 1048575"
    );
    EXPECT_EQ(
        vocabulary_complaint(R"({"a": 0, "b": 0})"),
        "vocab.json: the id 0 of \"b\" is another token's too"
    );
    EXPECT_EQ(
        vocabulary_complaint(R"({"a": 0, "a": 1})"), "vocab.json: the token of id 1 is in it twice"
    );
    const std::string nested(100'000, '[');
    EXPECT_NE(vocabulary_complaint("{\"a\": " + nested), "");
}

TEST(ClipVocabulary, ShowsTokensInErrorsShortAndInAscii) {
    const std::string token = "\u00E9" + std::string(1000, 'x');
    EXPECT_EQ(
        vocabulary_complaint("{\"" + token + "\": -1}"),
        "vocab.json: the id of \"\\u00e9" + std::string(38, 'x') +
            "...\" is not an integer from 0 to 1048575"
    );
}

TEST(ClipVocabulary, RefusesMergesThatAreNotPairsOfTheVocabulary) {
    EXPECT_EQ(merges_complaint("a b\r\nab c</w>\r\n\r\n"), "");
    for (const char* line : {"ab", "a  b", " a", "a b c", ""}) {
        EXPECT_EQ(
            merges_complaint(fmt::format("#version: 0.2\n{}\na b\n", line)),
            fmt::format(
                "merges.txt line 2: \"{}\" is not two symbols with a space between them", line
            )
        );
    }
    EXPECT_EQ(merges_complaint("a x\n"), "merges.txt line 1: \"x\" is not in the vocabulary");
    EXPECT_EQ(merges_complaint("a b\nb a"), "merges.txt line 2: \"ba\" is not in the vocabulary");
    EXPECT_EQ(merges_complaint("a b\na b"), "merges.txt line 2 repeats an earlier line");
    EXPECT_EQ(
        merges_complaint("a b\na \xFF"), "merges.txt line 2: byte 2 (0xff) is not valid UTF-8"
    );
}

TEST(ClipVocabulary, RefusesMergesThatMakeNoVocabulary) {
    EXPECT_EQ(complaint({"", "", "", ""}), "merges.txt: no merges in it");
    EXPECT_EQ(complaint({"", "#version: 0.2\n", "", ""}), "merges.txt: no merges in it");
    EXPECT_EQ(
        complaint({"", "a b\nab c\nb c\na bc\n", "", ""}),
        "merges.txt line 4: an earlier line makes \"abc\" already"
    );
    EXPECT_EQ(
        complaint({"", "a b\n", "", R"({"bos_token": "ab"})"}),
        "\"ab\" cannot be a special token: the vocabulary has it already"
    );
    EXPECT_EQ(
        complaint({"", "a b\n", "", R"({"pad_token": "[PAD]"})"}),
        "the vocabulary lacks the pad token \"[PAD]\""
    );
}

TEST(ClipVocabulary, RefusesSettingsOfTheWrongKind) {
    EXPECT_EQ(config_complaint("[]"), "tokenizer_config.json is not a JSON object");
    EXPECT_EQ(config_complaint("{\n"), "tokenizer_config.json: line 2 is not valid JSON");
    EXPECT_EQ(
        config_complaint(R"({"a": 1e999})"), "tokenizer_config.json holds a number out of range"
    );
    EXPECT_EQ(
        config_complaint("{\"a\": " + std::string(100, '[') + std::string(100, ']') + "}"),
        "tokenizer_config.json is nested too deeply"
    );
    EXPECT_EQ(
        config_complaint(R"({"do_lower_case": 1})"),
        "tokenizer_config.json: do_lower_case is not true or false"
    );
    for (const char* length : {"2", "4097", "-77", "77.5", "\"77\""}) {
        EXPECT_EQ(
            config_complaint(fmt::format("{{\"model_max_length\": {}}}", length)),
            "tokenizer_config.json: model_max_length is not an integer from 3 to 4096"
        );
    }
    for (const char* token : {"\"\"", "5", "[]", "{}", "{\"content\": 1}"}) {
        EXPECT_EQ(
            config_complaint(fmt::format("{{\"eos_token\": {}}}", token)),
            "tokenizer_config.json: eos_token is not the text of a token"
        );
    }
}

}  // namespace
}  // namespace tessera
