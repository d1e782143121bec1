#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "job/job_spec.h"

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera {

/// A task is the `index`-th of its job's plan. In text "01kb…x.3".
struct TaskId {
    JobId job;
    int index = 0;

    auto operator<=>(const TaskId&) const = default;
};

[[nodiscard]] std::string to_string(const TaskId& id);
/// kInvalidArgument when it is no task's id.
[[nodiscard]] Result<TaskId> parse_task_id(std::string_view text);

enum class TaskKind : std::uint8_t {
    kRender,   ///< a recipe to a picture
    kUpscale,  ///< a picture, or a tile of one, to a larger one
    kMerge,    ///< tiles to a picture
};

/// A part of a finished picture, in its pixels.
struct TileRegion {
    int x = 0;
    int y = 0;
    int width = 0;
    int height = 0;

    bool operator==(const TileRegion&) const = default;
};

/// What a client sees grow: a picture, or a tile of one.
struct UnitPlan {
    /// The picture that this tile belongs to, an index into the units; absent: it is a picture.
    std::optional<int> part_of;
    TileRegion region;  ///< a tile's place; of a picture the whole, from 0,0

    bool operator==(const UnitPlan&) const = default;
};

struct TaskPlan {
    TaskKind kind = TaskKind::kRender;
    int unit = 0;  ///< an index into the units
    /// Tasks of the same plan, by index, each smaller than its own, whose results this one takes.
    std::vector<int> needs;
    /// Expected work in units of one megapixel through one step; see cost.h.
    double cost = 0.0;
    /// Its result is the unit's picture.
    bool publishes = false;

    bool operator==(const TaskPlan&) const = default;
};

/// A job cut into tasks, ready to be queued.
struct JobPlan {
    JobSpec spec;
    /// What its tasks are done after, resolved and complete: the Recipe's JSON of the first picture
    /// for kRender. Not interpreted by queue and scheduler.
    std::string recipe;
    /// Tasks with the same one want the same model in memory: model name and hash.
    std::string affinity;
    std::vector<UnitPlan> units;
    std::vector<TaskPlan> tasks;
    /// What the person should know, one sentence each.
    std::vector<std::string> remarks;

    bool operator==(const JobPlan&) const = default;
};

/// The right to work on a task. A later claim has a larger one, and the older is worth nothing from
/// then on. The upper 32 bits are the server's incarnation, which is written durably at its start.
struct Epoch {
    std::uint64_t value = 0;

    auto operator<=>(const Epoch&) const = default;
    [[nodiscard]] std::uint32_t incarnation() const {
        return static_cast<std::uint32_t>(value >> 32U);
    }
};

/// An object in the store.
struct ObjectRef {
    std::string sha256;
    std::uint64_t bytes = 0;
    std::string media_type;

    bool operator==(const ObjectRef&) const = default;
};

/// Where time went, by stage ("loading", "text", "steps", "decoding", "enlarging", "storing").
struct StageTime {
    std::string stage;
    double seconds = 0.0;

    bool operator==(const StageTime&) const = default;
};

/// What a finished task left behind.
struct TaskResult {
    ObjectRef object;
    std::string fingerprint;  ///< the engine's
    std::vector<StageTime> times;
    /// Exactly what was done: the Recipe's JSON, with fingerprint and hashes.
    std::string recipe;
    int width = 0;
    int height = 0;

    bool operator==(const TaskResult&) const = default;
};

/// From where another worker can go on.
struct TaskCheckpoint {
    ObjectRef object;
    int step = 0;
    std::string fingerprint;

    bool operator==(const TaskCheckpoint&) const = default;
};

struct TaskProgress {
    int step = 0;
    int steps = 0;
    std::string stage;  ///< see StageTime

    bool operator==(const TaskProgress&) const = default;
};

/// Whose fault a failure is.
enum class FaultKind : std::uint8_t {
    kTask,            ///< its own: bad input, crash of the process that worked on it
    kInfrastructure,  ///< worker gone, store away, lease run out
};

struct TaskFailure {
    FaultKind fault = FaultKind::kTask;
    bool retryable = true;
    std::string message;  ///< one sentence for a person
    std::string log;      ///< the task's last lines

    bool operator==(const TaskFailure&) const = default;
};

/// "render", "upscale", "merge"; "task", "infrastructure".
[[nodiscard]] std::string_view to_string(TaskKind kind);
[[nodiscard]] std::string_view to_string(FaultKind fault);

}  // namespace tessera

template <>
struct std::hash<tessera::TaskId> {
    std::size_t operator()(const tessera::TaskId& id) const noexcept {
        return std::hash<tessera::JobId>()(id.job) * 31U + static_cast<std::size_t>(id.index);
    }
};
