#include "scheduler/policy.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace tessera {
namespace {

constexpr std::array<std::pair<Policy, std::string_view>, 5> kNames{{
    {Policy::kEarliestFinish, "earliest_finish"},
    {Policy::kRoundRobin, "round_robin"},
    {Policy::kRandom, "random"},
    {Policy::kLeastConnections, "least_connections"},
    {Policy::kPowerOfTwo, "power_of_two"},
}};

double part_in_use(const Candidate& candidate) {
    return static_cast<double>(candidate.running) / static_cast<double>(candidate.slots);
}

/// The index whose key is smallest; of equal ones, that which joined first.
template <class Key>
std::size_t smallest(std::span<const Candidate> candidates, Key key) {
    std::size_t best = 0;
    auto best_key = key(candidates[0]);
    for (std::size_t i = 1; i < candidates.size(); ++i) {
        const auto its_key = key(candidates[i]);
        if (its_key < best_key ||
            (!(best_key < its_key) && candidates[i].joined < candidates[best].joined)) {
            best = i;
            best_key = its_key;
        }
    }
    return best;
}

std::size_t below(std::size_t limit, Entropy& entropy) {
    const auto drawn = static_cast<std::size_t>(entropy.unit() * static_cast<double>(limit));
    return std::min(drawn, limit - 1);
}

std::size_t power_of_two(std::span<const Candidate> candidates, Entropy& entropy) {
    if (candidates.size() == 1) {
        return 0;
    }
    const std::size_t first = below(candidates.size(), entropy);
    std::size_t second = below(candidates.size() - 1, entropy);
    second += second >= first ? 1U : 0U;
    return part_in_use(candidates[second]) < part_in_use(candidates[first]) ? second : first;
}

}  // namespace

std::string_view to_string(Policy policy) {
    for (const auto& [value, name] : kNames) {
        if (value == policy) {
            return name;
        }
    }
    return "unknown";
}

Result<Policy> find_policy(std::string_view name) {
    for (const auto& [value, its_name] : kNames) {
        if (its_name == name) {
            return value;
        }
    }
    std::string names;
    for (const auto& entry : kNames) {
        names += names.empty() ? "" : ", ";
        names += entry.second;
    }
    return fail(ErrorKind::kInvalidArgument, "no policy '{}'; there are {}", name, names);
}

std::size_t choose(
    Policy policy, std::span<const Candidate> candidates, PolicyMemory& memory, Entropy& entropy
) {
    switch (policy) {
        case Policy::kRoundRobin: {
            // The smallest after the last one; those before it come after all others.
            const std::uint64_t next = memory.last_joined + 1;
            const std::size_t chosen = smallest(candidates, [next](const Candidate& candidate) {
                return candidate.joined - next;  // wraps
            });
            memory.last_joined = candidates[chosen].joined;
            return chosen;
        }
        case Policy::kRandom:
            return below(candidates.size(), entropy);
        case Policy::kLeastConnections:
            return smallest(candidates, part_in_use);
        case Policy::kPowerOfTwo:
            return power_of_two(candidates, entropy);
        case Policy::kEarliestFinish:
            break;
    }
    return smallest(candidates, [](const Candidate& candidate) { return candidate.seconds; });
}

}  // namespace tessera
