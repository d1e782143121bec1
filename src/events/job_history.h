#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "job/states.h"
#include "job/task.h"
#include "telemetry/span.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tessera {

/// A moment in the life of a task, as the queue told it.
struct TaskMark {
    enum class Kind : std::uint8_t { kReady, kClaimed, kReturned, kDone, kDead, kCancelled };
    /// How an attempt ended.
    struct Ending {
        std::string reason;  ///< of a failure
        FaultKind fault = FaultKind::kTask;
        bool lease_ran_out = false;
        TaskProgress progress;  ///< the last that was heard
        std::vector<StageTime> times;
    };

    Kind kind = Kind::kReady;
    TaskKind task_kind = TaskKind::kRender;  ///< of a task's first
    int task = 0;
    int unit = 0;
    Duration at{};  ///< since the life began
    WorkerId worker;
    Epoch epoch;                           ///< none: not known, of a task that ran before a restart
    std::shared_ptr<const Ending> ending;  ///< nothing to tell: none
};

/// One life of a job: from its submission, or from a person's retry, to its end. Small, for the
/// server keeps one of every job; spans are made of it when somebody asks.
struct JobHistory {
    enum class Beginning : std::uint8_t {
        kSubmitted,
        kFound,    ///< by a restart; of what was before, only when it was submitted is known
        kRetried,  ///< another life after its end
    };

    JobId job;
    TraceContext context;  ///< its span is the job's own
    SpanId caller;         ///< what that one stands in; or none
    Beginning beginning = Beginning::kSubmitted;
    // What of it stands in the trace; prompts do not.
    std::string tenant;
    std::string model;  ///< without its hash
    JobKind kind = JobKind::kRender;
    Priority priority = Priority::kNormal;
    std::size_t pictures = 0;

    WallTime began;
    Duration heard{};  ///< since then: when the queue had it, or a restart found it
    std::vector<TaskMark> marks;
    std::size_t left_out = 0;  ///< marks for which there was no room
    std::optional<Duration> ended;
    JobState state = JobState::kQueued;
};

/// Spans without a gap: at each moment of the job's own span there is another one within it that
/// says what was going on. That is
///
///   job → submit
///       → task → wait, attempt (→ load, encode, denoise, decode, upscale, store, hand over), pause
///
/// where "hand over" is the way to the worker and back, and a task's first wait begins no later
/// than what went before ended. After a restart "before the restart" takes the place of what is not
/// known, and "not recorded" that of what was left out.
[[nodiscard]] std::vector<Span> spans_of(const JobHistory& history);

}  // namespace tessera
