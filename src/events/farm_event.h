#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "job/states.h"
#include "job/task.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tessera {

/// What clients hear of their jobs.
struct FarmEvent {
    enum class Kind : std::uint8_t {
        kQueued,      ///< accepted; or its place in the line has changed
        kStarted,     ///< the job's first task has begun
        kProgress,    ///< of a unit: step k of n
        kPreview,     ///< of a unit: a small picture
        kUnitDone,    ///< a picture is there
        kRetrying,    ///< a task failed or was lost, and will be tried again
        kUnitFailed,  ///< this picture will not come; the job's others may
        kDone,        ///< the job ended: every picture is there
        kFailed,
        kCancelled,
        kDeleted,
        /// Of no job: events are missing here. Whoever hears it reads the state anew.
        kReset,
    };

    /// Counts up through all tenants; gaps are normal. 0: not numbered (it cannot be resumed from).
    std::uint64_t id = 0;
    WallTime time;
    Kind kind = Kind::kQueued;
    JobId job;
    std::string tenant;

    // Of kQueued:
    std::optional<std::size_t> position;
    std::optional<double> seconds_to_start;
    std::optional<double> seconds_to_finish;

    // Of kProgress, kPreview, kUnitDone, kRetrying, kUnitFailed:
    int unit = 0;
    WorkerId worker;
    TaskProgress progress;
    double unit_fraction = 0.0;        ///< 0..1
    double job_fraction = 0.0;         ///< 0..1
    std::string jpeg;                  ///< of kPreview
    std::optional<TaskResult> result;  ///< of kUnitDone

    std::string message;  ///< of kRetrying, kUnitFailed and kFailed: why
};

/// Lower case, as clients see it: "unit_done".
[[nodiscard]] std::string_view to_string(FarmEvent::Kind kind);

/// No event of that job follows but kDeleted, unless somebody retries it.
[[nodiscard]] bool ends_job(FarmEvent::Kind kind);

/// It tells a state that the next one of its kind, job and unit makes worthless: kQueued,
/// kProgress, kPreview. Only such events may be left out for slow readers.
[[nodiscard]] bool is_superseded_by_next(FarmEvent::Kind kind);

/// Whether `later` makes `earlier` worthless: same kind, job and unit as above, or the end of the
/// unit or the job that it tells of.
[[nodiscard]] bool supersedes(const FarmEvent& later, const FarmEvent& earlier);

/// About how many bytes of memory it holds.
[[nodiscard]] std::size_t footprint(const FarmEvent& event);

}  // namespace tessera
