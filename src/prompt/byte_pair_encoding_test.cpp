#include "prompt/byte_pair_encoding.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <utility>

namespace tessera {
namespace {

using Symbols = std::vector<TokenId>;

Symbols joined(const MergeTable& table, Symbols symbols) {
    table.join(symbols);
    return symbols;
}

/// The definition, one merge at a time.
Symbols joined_slowly(const std::vector<MergeTable::Merge>& merges, Symbols symbols) {
    for (;;) {
        std::size_t best_rank = merges.size();
        std::size_t best = 0;
        for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
            for (std::size_t rank = 0; rank < best_rank; ++rank) {
                if (merges[rank].left == symbols[i] && merges[rank].right == symbols[i + 1]) {
                    best_rank = rank;
                    best = i;
                }
            }
        }
        if (best_rank == merges.size()) {
            return symbols;
        }
        symbols[best] = merges[best_rank].product;
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
}

TEST(MergeTable, JoinsTheLowestRankFirstAndTheLeftmostOfEquals) {
    // 1 1 -> 2 before 0 1 -> 3.
    const MergeTable table({{1, 1, 2}, {0, 1, 3}, {2, 2, 4}});
    EXPECT_EQ(joined(table, {0, 1, 1}), (Symbols{0, 2}));
    EXPECT_EQ(joined(table, {0, 1, 0}), (Symbols{3, 0}));
    EXPECT_EQ(joined(table, {1, 1, 1}), (Symbols{2, 1}));
    EXPECT_EQ(joined(table, {1, 1, 1, 1}), (Symbols{4}));
}

TEST(MergeTable, LeavesAloneWhatNoMergeCovers) {
    EXPECT_EQ(joined(MergeTable(), {5, 6, 7}), (Symbols{5, 6, 7}));
    EXPECT_EQ(joined(MergeTable({{1, 1, 2}}), {}), Symbols{});
    EXPECT_EQ(joined(MergeTable({{1, 1, 2}}), {1}), Symbols{1});
}

TEST(MergeTable, NamesTheRankThatRepeatsAPair) {
    EXPECT_EQ(MergeTable({{1, 1, 2}, {1, 2, 3}}).repeated_rank(), std::nullopt);
    EXPECT_EQ(MergeTable({{1, 1, 2}, {1, 2, 3}, {1, 1, 4}}).repeated_rank(), 2U);
}

TEST(MergeTable, AgreesWithTheDefinitionOnAnyTableAndWord) {
    EXPECT_TRUE(rc::check([] {
        std::map<std::pair<TokenId, TokenId>, TokenId> pairs;
        std::vector<MergeTable::Merge> merges;
        const auto symbol = rc::gen::inRange<TokenId>(0, 6);
        for (const auto& [pair, product] :
             *rc::gen::container<std::vector<std::pair<std::pair<TokenId, TokenId>, TokenId>>>(
                 rc::gen::pair(rc::gen::pair(symbol, symbol), rc::gen::inRange<TokenId>(0, 9))
             )) {
            if (pairs.emplace(pair, product).second) {
                merges.push_back({pair.first, pair.second, product});
            }
        }
        const auto word = *rc::gen::container<Symbols>(symbol);
        RC_ASSERT(joined(MergeTable(merges), word) == joined_slowly(merges, word));
    }));
}

TEST(MergeTable, JoinsAVeryLongWordWhole) {
    // 2^17 equal symbols join pairwise, level by level, into one.
    constexpr TokenId kLevels = 17;
    std::vector<MergeTable::Merge> merges;
    merges.reserve(kLevels);
    for (TokenId level = 0; level < kLevels; ++level) {
        merges.push_back({level, level, level + 1});
    }
    EXPECT_EQ(joined(MergeTable(merges), Symbols(std::size_t{1} << kLevels, 0)), Symbols{kLevels});
}

}  // namespace
}  // namespace tessera
