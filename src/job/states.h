#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tessera {

enum class TaskState : std::uint8_t {
    kBlocked,    ///< waits for tasks that it needs
    kReady,      ///< may be claimed
    kDelayed,    ///< will be ready again after a pause
    kRunning,    ///< claimed
    kDone,       ///< its result is committed
    kDead,       ///< failed for good; can be retried by a person
    kCancelled,  ///< not wanted any more
};

enum class JobState : std::uint8_t {
    kQueued,     ///< accepted; nothing has begun
    kRunning,    ///< a task has begun
    kDone,       ///< every picture is there
    kFailed,     ///< ended, and not every picture is there
    kCancelled,  ///< ended by request
};

/// What moves a task from one state to another.
enum class TaskMove : std::uint8_t {
    kUnblock,  ///< the last needed task is done
    kClaim,
    kReturn,  ///< failed or lost; may be tried again at once
    kDelay,   ///< failed or lost; may be tried again later
    kWake,    ///< the pause is over
    kComplete,
    kKill,  ///< failed for good, or what it needs did
    kCancel,
    kRevive,   ///< a person retries: to ready
    kReblock,  ///< a person retries: to blocked, as what it needs is not done
};

/// One row for each legal move; everything else is illegal.
struct LegalMove {
    TaskState from;
    TaskMove move;
    TaskState to;
};

[[nodiscard]] std::span<const LegalMove> legal_moves();

/// Where the move leads from there; nothing when it is illegal.
[[nodiscard]] const LegalMove* find_move(TaskState from, TaskMove move);

[[nodiscard]] bool is_final(TaskState state);
[[nodiscard]] bool is_final(JobState state);

/// The lower-case name without the k: "ready".
[[nodiscard]] std::string_view to_string(TaskState state);
[[nodiscard]] std::string_view to_string(JobState state);
[[nodiscard]] std::string_view to_string(TaskMove move);

}  // namespace tessera
