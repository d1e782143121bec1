#include "prompt/clip_tokenizer.h"

#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>

namespace tessera {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ids = std::vector<TokenId>;
using Json = nlohmann::json;

const ClipTokenizer& clip() {
    static const auto tokenizer = ClipTokenizer::from_merges_file(TESSERA_CLIP_MERGES);
    if (!tokenizer) {
        ADD_FAILURE() << tokenizer.error().message << " (tools/setup.sh installs it)";
        std::abort();
    }
    return *tokenizer;
}

const ClipTokenizer& demo() {
    static const auto tokenizer =
        ClipTokenizer::from_folder(TESSERA_WEIGHTS "/tessera-tiny/tokenizer");
    if (!tokenizer) {
        ADD_FAILURE() << tokenizer.error().message;
        std::abort();
    }
    return *tokenizer;
}

/// A chunk of 77 ids padded with its last one.
Ids padded(Ids ids) {
    ids.resize(77, ids.back());
    return ids;
}

/// Valid UTF-8 of every length, with the characters that CLIP's pattern treats apart.
rc::Gen<std::string> any_prompt() {
    const auto piece = rc::gen::oneOf(
        rc::gen::elementOf(std::vector<std::string>{
            "a",
            "Cat",
            " ",
            "  ",
            "'",
            "s",
            "'ll",
            "7",
            ",",
            "!",
            "\n",
            "\u00E9",
            "e\u0301",
            "\u03A3",
            "\u0130",
            "\u96EA",
            "\U0001F600",
            "\u0345",
            "<|endoftext|>",
            "<|",
            "\u200B"}),
        rc::gen::map(
            rc::gen::inRange(1, 128), [](int c) { return std::string(1, static_cast<char>(c)); }
        )
    );
    return rc::gen::map(
        rc::gen::container<std::vector<std::string>>(piece),
        [](const std::vector<std::string>& pieces) {
            std::string text;
            for (const std::string& part : pieces) {
                text += part;
            }
            return text;
        }
    );
}

TEST(ClipTokenizer, BuildsTheVocabularyFromTheMergesAlone) {
    EXPECT_EQ(clip().vocabulary_size(), 49408U);
    EXPECT_EQ(clip().start_id(), 49406);
    EXPECT_EQ(clip().end_id(), 49407);
    EXPECT_EQ(clip().pad_id(), 49407);
    EXPECT_EQ(clip().chunk_size(), 77U);
}

TEST(ClipTokenizer, AgreesWithTheReferenceTokenizers) {
    const auto text = read_file(TESSERA_TEST_DATA "/tokenizer/case.json", 1 << 20);
    ASSERT_TRUE(text) << text.error().message;
    const Json prompts = Json::parse(*text).at("prompts");
    ASSERT_EQ(prompts.size(), 260U);
    std::size_t padded_prompts = 0;
    for (const Json& entry : prompts) {
        SCOPED_TRACE(entry.at("i").dump() + " " + entry.at("text").dump());
        const auto prompt = entry.at("text").get<std::string>();
        const auto ids = clip().ids(prompt);
        ASSERT_TRUE(ids) << ids.error().message;
        EXPECT_EQ(*ids, entry.at("ids_hf_fast_rules").get<Ids>());
        if (entry.contains("padded77")) {
            ++padded_prompts;
            const auto chunks = clip().chunks(prompt);
            ASSERT_TRUE(chunks) << chunks.error().message;
            EXPECT_EQ(chunks->front().ids, entry.at("padded77").get<Ids>());
        }
    }
    EXPECT_GT(padded_prompts, 0U);
}

TEST(ClipTokenizer, ReadsTheDemoModelsOwnVocabulary) {
    EXPECT_EQ(demo().vocabulary_size(), 892U);
    const auto landscape = demo().chunks(
        "a beautiful landscape, snowy mountains under a purple sunset sky, a lake in the foreground"
    );
    ASSERT_TRUE(landscape);
    ASSERT_EQ(landscape->size(), 1U);
    EXPECT_EQ(landscape->front().prompt_tokens, 17U);
    EXPECT_EQ(
        landscape->front().ids,
        padded(
            {890,
             320,
             568,
             658,
             267,
             700,
             607,
             560,
             320,
             671,
             592,
             521,
             267,
             320,
             642,
             514,
             513,
             665,
             891}
        )
    );
    const auto lighthouse = demo().chunks("a lighthouse by the sea at dawn");
    ASSERT_TRUE(lighthouse);
    EXPECT_EQ(lighthouse->front().ids, padded({890, 320, 757, 694, 513, 611, 520, 594, 891}));
}

TEST(ClipTokenizer, GivesTheEmptyPromptOneChunk) {
    const auto chunks = demo().chunks("");
    ASSERT_TRUE(chunks);
    ASSERT_EQ(chunks->size(), 1U);
    EXPECT_EQ(chunks->front().ids, padded({890, 891}));
    EXPECT_EQ(chunks->front().prompt_tokens, 0U);
}

TEST(ClipTokenizer, CutsALongPromptEvery75Tokens) {
    for (const std::size_t words : {74U, 75U, 76U, 150U, 151U}) {
        std::string prompt;
        for (std::size_t i = 0; i < words; ++i) {
            prompt += "cat ";
        }
        const auto chunks = clip().chunks(prompt);
        ASSERT_TRUE(chunks);
        ASSERT_EQ(chunks->size(), (words + 74) / 75) << words;
        EXPECT_EQ(chunks->back().prompt_tokens, (words - 1) % 75 + 1) << words;
    }
}

TEST(ClipTokenizer, ChunksHoldExactlyTheTokens) {
    EXPECT_TRUE(rc::check([] {
        // Repeated, so that most prompts need several chunks.
        std::string prompt;
        const std::string part = *any_prompt();
        for (int i = *rc::gen::inRange(1, 20); i > 0; --i) {
            prompt += part;
        }
        const auto ids = clip().ids(prompt);
        const auto chunks = clip().chunks(prompt);
        RC_ASSERT(ids.has_value() && chunks.has_value());
        RC_ASSERT(chunks->size() == std::max<std::size_t>(1, (ids->size() + 74) / 75));
        Ids joined;
        for (const TokenChunk& chunk : *chunks) {
            RC_ASSERT(chunk.ids.size() == 77U);
            RC_ASSERT(chunk.ids.front() == clip().start_id());
            const auto end =
                chunk.ids.begin() + 1 + static_cast<std::ptrdiff_t>(chunk.prompt_tokens);
            RC_ASSERT(std::all_of(end, chunk.ids.end(), [](TokenId id) {
                return id == clip().end_id();
            }));
            joined.insert(joined.end(), chunk.ids.begin() + 1, end);
        }
        RC_ASSERT(joined == *ids);
    }));
}

TEST(ClipTokenizer, TokensOfWordsDoNotDependOnTheirNeighbours) {
    EXPECT_TRUE(rc::check([] {
        const std::string left = *any_prompt();
        const std::string right = *any_prompt();
        const auto both = clip().ids(left + " , " + right);
        auto expected = *clip().ids(left);
        for (const std::string& part : {std::string(","), right}) {
            const auto ids = *clip().ids(part);
            expected.insert(expected.end(), ids.begin(), ids.end());
        }
        RC_ASSERT(both == expected);
    }));
}

TEST(ClipTokenizer, NamesTheByteThatIsNotUtf8) {
    const auto ids = clip().ids("a cat\xFF");
    ASSERT_FALSE(ids);
    EXPECT_EQ(ids.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(ids.error().message, "the prompt: byte 5 (0xff) is not valid UTF-8");
    EXPECT_FALSE(clip().chunks("\xC3"));
}

TEST(ClipTokenizer, RefusesAPromptBeyondTheLimitUnlessToldAnother) {
    const std::string prompt(100'000, 'a');
    const auto refused = clip().chunks(prompt);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(
        refused.error().message,
        "the prompt is 100000 bytes long; the limit is 65536 bytes, so shorten it"
    );
    EXPECT_TRUE(clip().ids(std::string(ClipTokenizer::kMaxPromptBytes, 'a')));
    EXPECT_FALSE(clip().ids(std::string(ClipTokenizer::kMaxPromptBytes + 1, 'a')));
    const auto word = clip().ids(prompt, prompt.size());
    ASSERT_TRUE(word);
    EXPECT_LT(word->size(), prompt.size() / 4);
}

TEST(ClipTokenizer, SharesOneTokenizerBetweenThreads) {
    const std::string prompt = "an oil painting of a lighthouse, don't 85mm \u96EA";
    const Ids expected = *clip().ids(prompt);
    std::vector<std::thread> threads;
    std::array<bool, 4> equal{};
    threads.reserve(equal.size());
    for (bool& result : equal) {
        threads.emplace_back([&result, &prompt, &expected, tokenizer = clip()] {
            result = true;
            for (int i = 0; i < 50; ++i) {
                result = result && tokenizer.ids(prompt) == expected;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_THAT(equal, ElementsAre(true, true, true, true));
}

TEST(ClipTokenizer, ShowsWhatATokenStandsFor) {
    const auto shown = [](std::string_view text) {
        std::string all;
        const Ids ids = clip().ids(text).value();
        for (const TokenId id : ids) {
            const auto token = clip().token_text(id);
            all += token.bytes + (token.ends_word ? "|" : "");
        }
        return all;
    };
    EXPECT_EQ(shown("A lighthouse, at dawn!"), "a|lighthouse|,|at|dawn|!|");
    EXPECT_EQ(shown("caf\u00E9 \u96EA"), "caf\u00E9|\u96EA|");
    EXPECT_EQ(shown("<|endoftext|>"), "<|endoftext|>");
    EXPECT_EQ(clip().token_text(clip().start_id()).bytes, "<|startoftext|>");
    EXPECT_EQ(clip().token_text(1'000'000).bytes, "");
}

TEST(ClipTokenizer, SaysWhichFileIsMissing) {
    const auto tokenizer = ClipTokenizer::from_folder(TESSERA_TEST_DATA "/tokenizer");
    ASSERT_FALSE(tokenizer);
    EXPECT_EQ(tokenizer.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(tokenizer.error().message, HasSubstr("tokenizer/vocab.json"));
    const auto merges = ClipTokenizer::from_merges_file(TESSERA_TEST_DATA "/no-merges.txt");
    ASSERT_FALSE(merges);
    EXPECT_EQ(merges.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace tessera
