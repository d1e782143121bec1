#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tessera {

/// A row of the text encoder's embedding table; signed and 64 bits wide, as ONNX graphs take it.
using TokenId = std::int64_t;

/// Ids are below this, so that a pair of them fits a sort key.
constexpr TokenId kTokenIdLimit = TokenId{1} << 20;

/// The merges of a byte-pair encoding, looked up by the pair they join. Sorted rather than hashed:
/// no vocabulary can be made whose look-ups are slow.
class MergeTable {
  public:
    struct Merge {
        TokenId left;
        TokenId right;
        TokenId product;
    };

    MergeTable() = default;
    /// In order of rank, the merge to do first in front.
    explicit MergeTable(const std::vector<Merge>& merges);

    /// The rank of a merge whose pair has another rank too; nullopt in a sound table.
    [[nodiscard]] std::optional<std::size_t> repeated_rank() const;

    /// Joins neighbours until no merge applies: always the pair of lowest rank, the leftmost of
    /// equals (Sennrich et al. 2016, arXiv:1508.07909, with a heap). O(n log n) in the length of
    /// the word.
    void join(std::vector<TokenId>& symbols) const;

    /// The symbols that merges made this one from; itself if none did. No product may be
    /// a part of itself. For showing a few tokens: it looks through all merges for each step.
    [[nodiscard]] std::vector<TokenId> taken_apart(TokenId symbol) const;

  private:
    struct Entry {
        std::uint64_t pair;
        std::uint32_t rank;
        std::uint32_t product;
    };
    [[nodiscard]] const Entry* find(TokenId left, TokenId right) const;

    std::vector<Entry> entries_;
};

}  // namespace tessera
