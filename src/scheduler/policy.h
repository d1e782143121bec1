#pragma once

#include "base/entropy.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tessera {

/// How a task's worker is chosen among those that could begin it now.
enum class Policy : std::uint8_t {
    /// Where it will probably be done first: learned speed, and the model's loading where it is not
    /// loaded.
    kEarliestFinish,
    kRoundRobin,        ///< the next in the order in which they joined; ignores speed
    kRandom,            ///< any; ignores speed
    kLeastConnections,  ///< the one with the smallest part of its slots in use
    kPowerOfTwo,        ///< of two at random, the one with the smaller part in use
};

/// "earliest_finish", "round_robin", "random", "least_connections", "power_of_two".
[[nodiscard]] std::string_view to_string(Policy policy);
/// kInvalidArgument with the names there are.
[[nodiscard]] Result<Policy> find_policy(std::string_view name);

/// A worker that could begin the task now.
struct Candidate {
    std::uint64_t joined = 0;  ///< order of joining; unique
    int running = 0;
    int slots = 1;
    double seconds = 0.0;  ///< expected until the task is done there
};

/// What a policy remembers from one choice to the next.
struct PolicyMemory {
    std::uint64_t last_joined = 0;
};

/// An index into `candidates`, which must not be empty. Ties go to the one that joined first, but
/// for the policies that draw by chance.
[[nodiscard]] std::size_t choose(
    Policy policy, std::span<const Candidate> candidates, PolicyMemory& memory, Entropy& entropy
);

}  // namespace tessera
