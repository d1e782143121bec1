#include "base/similar_name.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace tessera {
namespace {

/// The two-row form of Wagner and Fischer's table.
std::size_t edit_distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < left.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < right.size(); ++j) {
            const std::size_t replaced = diagonal + (left[i] == right[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string_view most_similar(std::string_view name, std::span<const std::string_view> candidates) {
    constexpr std::size_t kLongestName = 300;
    constexpr std::size_t kMostCandidates = 20'000;
    if (name.size() > kLongestName || candidates.size() > kMostCandidates) {
        return {};
    }
    std::string_view best;
    std::size_t fewest = name.size() / 3 + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t least = candidate.size() > name.size() ? candidate.size() - name.size()
                                                                 : name.size() - candidate.size();
        if (least >= fewest) {
            continue;
        }
        if (const std::size_t distance = edit_distance(name, candidate); distance < fewest) {
            fewest = distance;
            best = candidate;
        }
    }
    return best;
}

}  // namespace tessera
