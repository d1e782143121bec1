#pragma once

#include "job/task.h"

#include <cstdint>
#include <string>

namespace tessera::simulation {

/// A render that is arithmetic: each step mixes a state, so that a result says whether every step
/// was taken once and in order, wherever it was taken up again.
struct SimulatedRender {
    std::uint64_t state = 0;
    int step = 0;

    void advance() {
        state = (state ^ static_cast<std::uint64_t>(++step)) * 0x9E3779B97F4A7C15ULL;
        state ^= state >> 29U;
    }
};

/// How a task of the simulation behaves, decided by its job's prompt alone.
struct TaskNature {
    int steps = 1;
    int own_failures = 0;  ///< it fails so often by its own fault before it succeeds
};

[[nodiscard]] SimulatedRender begin_render(const TaskId& task);
[[nodiscard]] TaskNature nature_of(const JobSpec& spec, const TaskId& task);

/// "…" of a state: the object that such a state would be stored as.
[[nodiscard]] ObjectRef object_of(const SimulatedRender& render);
/// The state that such an object holds.
[[nodiscard]] SimulatedRender render_of(const TaskCheckpoint& checkpoint);

/// What an undisturbed run would give.
[[nodiscard]] ObjectRef expected_result(const JobSpec& spec, const TaskId& task);

}  // namespace tessera::simulation
