#include "prompt/byte_pair_encoding.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <tuple>

namespace tessera {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

std::uint64_t pair_key(TokenId left, TokenId right) {
    return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint64_t>(right);
}

/// A symbol of the word in a doubly linked list; kNone at both ends.
struct Link {
    TokenId id;
    std::size_t previous;
    std::size_t next;
    bool joined_away = false;
};

struct Candidate {
    std::uint32_t rank;
    std::size_t position;
    std::uint64_t pair;
    std::uint32_t product;

    bool operator>(const Candidate& other) const {
        return std::tie(rank, position) > std::tie(other.rank, other.position);
    }
};

}  // namespace

MergeTable::MergeTable(const std::vector<Merge>& merges) {
    entries_.reserve(merges.size());
    for (const Merge& merge : merges) {
        entries_.push_back(
            {pair_key(merge.left, merge.right),
             static_cast<std::uint32_t>(entries_.size()),
             static_cast<std::uint32_t>(merge.product)}
        );
    }
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        return std::tie(a.pair, a.rank) < std::tie(b.pair, b.rank);
    });
}

std::optional<std::size_t> MergeTable::repeated_rank() const {
    const auto repeated =
        std::adjacent_find(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
            return a.pair == b.pair;
        });
    if (repeated == entries_.end()) {
        return std::nullopt;
    }
    return std::next(repeated)->rank;
}

const MergeTable::Entry* MergeTable::find(TokenId left, TokenId right) const {
    const std::uint64_t pair = pair_key(left, right);
    const auto found = std::lower_bound(
        entries_.begin(),
        entries_.end(),
        pair,
        [](const Entry& entry, std::uint64_t key) { return entry.pair < key; }
    );
    return found != entries_.end() && found->pair == pair ? &*found : nullptr;
}

void MergeTable::join(std::vector<TokenId>& symbols) const {
    std::vector<Link> links;
    links.reserve(symbols.size());
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        const bool last = i + 1 == symbols.size();
        links.push_back({symbols[i], i == 0 ? kNone : i - 1, last ? kNone : i + 1});
    }

    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
    const auto consider = [&](std::size_t position) {
        if (position == kNone || links[position].next == kNone) {
            return;
        }
        const TokenId left = links[position].id;
        const TokenId right = links[links[position].next].id;
        if (const Entry* entry = find(left, right)) {
            candidates.push({entry->rank, position, entry->pair, entry->product});
        }
    };
    for (std::size_t i = 0; i < links.size(); ++i) {
        consider(i);
    }

    while (!candidates.empty()) {
        const Candidate best = candidates.top();
        candidates.pop();
        Link& left = links[best.position];
        // A neighbour may have been joined since the candidate was found.
        if (left.joined_away || left.next == kNone ||
            pair_key(left.id, links[left.next].id) != best.pair) {
            continue;
        }
        Link& right = links[left.next];
        right.joined_away = true;
        left.id = best.product;
        left.next = right.next;
        if (left.next != kNone) {
            links[left.next].previous = best.position;
        }
        consider(left.previous);
        consider(best.position);
    }

    symbols.clear();
    for (const Link& link : links) {
        if (!link.joined_away) {
            symbols.push_back(link.id);
        }
    }
}

std::vector<TokenId> MergeTable::taken_apart(TokenId symbol) const {
    std::vector<TokenId> parts;
    std::vector<TokenId> waiting{symbol};
    while (!waiting.empty()) {
        const TokenId next = waiting.back();
        waiting.pop_back();
        const auto merge = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
            return static_cast<TokenId>(entry.product) == next;
        });
        if (merge == entries_.end()) {
            parts.push_back(next);
        } else {
            waiting.push_back(static_cast<TokenId>(merge->pair & 0xFFFF'FFFFU));
            waiting.push_back(static_cast<TokenId>(merge->pair >> 32));
        }
    }
    return parts;
}

}  // namespace tessera
