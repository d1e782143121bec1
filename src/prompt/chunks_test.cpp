#include "prompt/chunks.h"

#include "prompt/clip_test.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <algorithm>

namespace tessera {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Fragments = std::vector<PromptFragment>;

TokenId id_of(std::string_view word) {
    const auto ids = clip_for_tests().ids(word).value();
    EXPECT_EQ(ids.size(), 1U) << word;
    return ids.front();
}

std::string repeated(const std::string& text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

PromptChunks laid_out(const Fragments& fragments, const EmbeddingNames& embeddings = {}) {
    return lay_out_chunks(fragments, clip_for_tests(), embeddings).value();
}

PromptChunks laid_out(const std::string& text, const EmbeddingNames& embeddings = {}) {
    return laid_out(Fragments{{text, 1}}, embeddings);
}

EmbeddingNames installed(std::vector<EmbeddingName> embeddings) {
    return EmbeddingNames::make(std::move(embeddings), clip_for_tests()).value();
}

/// The ids of the prompt itself.
std::vector<TokenId> own(const PromptChunk& chunk) {
    const auto first = chunk.ids.begin() + 1;
    return {first, first + static_cast<std::ptrdiff_t>(chunk.prompt_tokens)};
}

TEST(PromptChunks, CarryWeightsOnThePromptsOwnTokens) {
    const auto laid = laid_out(Fragments{{"a ", 1}, {"red cat", 1.3}});
    ASSERT_EQ(laid.chunks.size(), 1U);
    EXPECT_EQ(laid.tokens, 3U);
    const PromptChunk& chunk = laid.chunks.front();
    EXPECT_THAT(own(chunk), ElementsAre(id_of("a"), id_of("red"), id_of("cat")));
    EXPECT_EQ(chunk.ids.size(), 77U);
    EXPECT_EQ(chunk.ids.front(), clip_for_tests().start_id());
    EXPECT_EQ(chunk.ids[4], clip_for_tests().end_id());
    ASSERT_EQ(chunk.weights.size(), 77U);
    const std::span<const float> weights(chunk.weights);
    EXPECT_THAT(weights.first(4), ElementsAre(1, 1, 1.3F, 1.3F));
    EXPECT_THAT(weights.subspan(4), Each(1));
}

TEST(PromptChunks, OfTheEmptyPromptAreOneEmptyChunk) {
    const auto laid = laid_out("");
    EXPECT_EQ(laid.tokens, 0U);
    EXPECT_THAT(laid.chunks, ElementsAre(empty_chunk(clip_for_tests())));
    EXPECT_EQ(laid.chunks.front().prompt_tokens, 0U);
    EXPECT_EQ(laid.chunks.front().ids, clip_for_tests().chunks("").value().front().ids);
}

TEST(PromptChunks, EndAtABreakAndCountWhole) {
    const auto laid = laid_out(Fragments{{"cat", 1}, {"", 1, true}, {"red dog", 1}});
    ASSERT_EQ(laid.chunks.size(), 2U);
    EXPECT_EQ(laid.tokens, 77U);
    EXPECT_THAT(own(laid.chunks[0]), ElementsAre(id_of("cat")));
    EXPECT_THAT(own(laid.chunks[1]), ElementsAre(id_of("red"), id_of("dog")));
    EXPECT_EQ(laid_out(Fragments{{"cat", 1}, {"", 1, true}, {"", 1}}).tokens, 75U);
}

TEST(PromptChunks, FillUpWithoutCommas) {
    const auto laid = laid_out(repeated("cat ", 76));
    ASSERT_EQ(laid.chunks.size(), 2U);
    EXPECT_EQ(laid.tokens, 76U);
    EXPECT_EQ(laid.chunks[0].prompt_tokens, 75U);
    EXPECT_EQ(laid.chunks[0].ids[76], clip_for_tests().end_id());
    EXPECT_THAT(own(laid.chunks[1]), ElementsAre(id_of("cat")));
    EXPECT_EQ(laid_out(repeated("cat ", 75)).chunks.size(), 1U);
}

TEST(PromptChunks, TakeWhatFollowsANearCommaToTheNext) {
    // 19 tokens follow the comma.
    const auto near = laid_out(repeated("cat ", 55) + "," + repeated("dog ", 20));
    ASSERT_EQ(near.chunks.size(), 2U);
    EXPECT_EQ(near.chunks[0].prompt_tokens, 56U);
    EXPECT_EQ(near.chunks[1].prompt_tokens, 20U);
    EXPECT_EQ(near.tokens, 95U);
    const auto far = laid_out(repeated("cat ", 54) + "," + repeated("dog ", 21));
    EXPECT_EQ(far.chunks[0].prompt_tokens, 75U);
    EXPECT_EQ(far.chunks[1].prompt_tokens, 1U);
}

TEST(PromptChunks, PutACommaThatDoesNotFitIntoTheNext) {
    const auto laid = laid_out(repeated("cat ", 75) + ", dog");
    EXPECT_THAT(own(laid.chunks[1]), ElementsAre(id_of(","), id_of("dog")));
}

TEST(PromptChunks, KeepWeightsWithTheirTokensBehindAComma) {
    const auto laid =
        laid_out(Fragments{{repeated("cat ", 60) + ",", 1}, {repeated("dog ", 20), 2}});
    ASSERT_EQ(laid.chunks.size(), 2U);
    EXPECT_THAT(laid.chunks[0].weights, Each(1));
    EXPECT_EQ(std::count(laid.chunks[1].weights.begin(), laid.chunks[1].weights.end(), 2.F), 20);
}

TEST(PromptChunks, PutVectorsInThePlaceOfAnEmbeddingsName) {
    const auto names = installed({{"cat", 2}, {"cat dog", 3}});
    const auto laid = laid_out(Fragments{{"red ", 1}, {"CAT DOG cat", 1.5}}, names);
    ASSERT_EQ(laid.chunks.size(), 1U);
    EXPECT_EQ(laid.tokens, 6U);
    const PromptChunk& chunk = laid.chunks.front();
    EXPECT_THAT(own(chunk), ElementsAre(id_of("red"), 0, 0, 0, 0, 0));
    EXPECT_THAT(chunk.embeddings, ElementsAre(EmbeddingUse{2, 1, 3}, EmbeddingUse{5, 0, 2}));
    EXPECT_THAT(
        std::span(chunk.weights).first(8), ElementsAre(1, 1, 1.5F, 1.5F, 1.5F, 1.5F, 1.5F, 1)
    );
}

TEST(PromptChunks, MoveAnEmbeddingThatDoesNotFit) {
    const auto names = installed({{"dog", 4}});
    const auto laid = laid_out(repeated("cat ", 72) + "dog cat", names);
    ASSERT_EQ(laid.chunks.size(), 2U);
    EXPECT_EQ(laid.chunks[0].prompt_tokens, 72U);
    EXPECT_THAT(laid.chunks[0].embeddings, IsEmpty());
    EXPECT_THAT(laid.chunks[1].embeddings, ElementsAre(EmbeddingUse{1, 0, 4}));
    EXPECT_EQ(laid.chunks[1].prompt_tokens, 5U);
}

TEST(PromptChunks, MoveAnEmbeddingBehindACommaWithItsVectors) {
    const auto names = installed({{"dog", 4}});
    const auto laid =
        laid_out("dog " + repeated("cat ", 60) + ", red dog " + repeated("cat ", 6), names);
    ASSERT_EQ(laid.chunks.size(), 2U);
    EXPECT_THAT(laid.chunks[0].embeddings, ElementsAre(EmbeddingUse{1, 0, 4}));
    EXPECT_EQ(laid.chunks[0].prompt_tokens, 65U);
    EXPECT_THAT(laid.chunks[1].embeddings, ElementsAre(EmbeddingUse{2, 0, 4}));
    EXPECT_EQ(laid.chunks[1].prompt_tokens, 11U);
}

TEST(PromptChunks, OfPlainTextAreTheTokenizers) {
    const std::string text = "(red:1.5) " + repeated("cat, ", 40) + "BREAK";
    const auto plain = plain_chunks(text, clip_for_tests()).value();
    const auto chunks = clip_for_tests().chunks(text).value();
    ASSERT_EQ(plain.chunks.size(), chunks.size());
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        EXPECT_EQ(plain.chunks[i].ids, chunks[i].ids);
        EXPECT_EQ(plain.chunks[i].prompt_tokens, chunks[i].prompt_tokens);
        EXPECT_THAT(plain.chunks[i].weights, Each(1));
    }
    EXPECT_EQ(plain.tokens, clip_for_tests().ids(text).value().size());
}

TEST(PromptChunks, HoldAllTokensInOrder) {
    rc::check([] {
        const auto words = *rc::gen::container<std::vector<std::string>>(
            rc::gen::elementOf(std::vector<std::string>{"cat ", "dog ", ",", "red ", "cat, "})
        );
        const auto times = *rc::gen::inRange<std::size_t>(1, 12);
        std::string text;
        for (const std::string& word : words) {
            text += repeated(word, times);
        }
        const auto laid = laid_out(text);
        std::vector<TokenId> joined;
        for (const PromptChunk& chunk : laid.chunks) {
            RC_ASSERT(chunk.ids.size() == 77U);
            RC_ASSERT(chunk.weights.size() == 77U);
            const auto ids = own(chunk);
            joined.insert(joined.end(), ids.begin(), ids.end());
        }
        RC_ASSERT(joined == clip_for_tests().ids(text).value());
    });
}

TEST(EmbeddingNames, RefuseNamesAndVectorsThatCannotBe) {
    const auto error_of = [](EmbeddingName embedding) {
        return EmbeddingNames::make({std::move(embedding)}, clip_for_tests()).error().message;
    };
    EXPECT_THAT(error_of({" ", 1}), HasSubstr("is no word"));
    EXPECT_THAT(error_of({"cat", 0}), HasSubstr("has 0 vectors; there can be from 1 to 75"));
    EXPECT_THAT(error_of({"cat", 76}), HasSubstr("has 76 vectors"));
    EXPECT_THAT(error_of({"\xFF", 1}), HasSubstr("not valid UTF-8"));
}

TEST(EmbeddingNames, OfEqualTokensTheFirstCounts) {
    const auto names = installed({{"Cat", 1}, {"cat", 2}});
    EXPECT_EQ(names.at_front(clip_for_tests().ids("cat").value())->index, 0U);
    EXPECT_FALSE(names.at_front(clip_for_tests().ids("dog").value()));
    EXPECT_FALSE(names.at_front({}));
}

TEST(EmbeddingNames, AreFoundInComfyUisForm) {
    const auto names = installed({{"EasyNegative", 8}, {"bad hands", 2}});
    std::vector<std::string> remarks;
    const auto resolved = [&](std::string_view text) {
        return resolve_comfy_embeddings(text, names, remarks);
    };
    EXPECT_EQ(resolved("a embedding:EasyNegative, b"), "a EasyNegative, b");
    EXPECT_EQ(resolved("embedding:easynegative.safetensors"), "EasyNegative");
    EXPECT_EQ(
        resolved("embedding:easynegative.pt embedding:EasyNegative"), "EasyNegative EasyNegative"
    );
    EXPECT_EQ(
        resolved("reembedding:x embedding: y embedding"), "reembedding:x embedding: y embedding"
    );
    EXPECT_THAT(remarks, IsEmpty());
    EXPECT_EQ(resolved("a embedding:EasyNegativ b"), "a  b");
    EXPECT_THAT(
        remarks,
        ElementsAre("the embedding \"EasyNegativ\" is not installed and was left out; the nearest "
                    "name is \"EasyNegative\"")
    );
}

}  // namespace
}  // namespace tessera
