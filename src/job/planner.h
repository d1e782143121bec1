#pragma once

#include "base/result.h"
#include "job/job_spec.h"
#include "job/resolved_job.h"
#include "job/task.h"

#include <cstddef>

namespace tessera {

/// Pictures of more pixels than this are enlarged tile by tile, so that several workers share the
/// work and a crash costs a tile. It depends on the picture alone, never on the workers there are:
/// equal jobs give equal bytes on every farm.
inline constexpr int kTiledAbovePixels = 4 << 20;

/// Cuts a job into units and tasks. Pure: equal arguments give equal plans.
///
/// Units: first the `count` pictures, so that the n-th unit is the n-th picture (its seed is the
/// n-th), with their whole size as region; then the tiles of large ones, picture by picture.
///
/// Tasks, picture by picture: one task that does all and publishes; or, where a network enlarges to
/// more than kTiledAbovePixels, a render task that leaves the picture as it is before (only for
/// kRender, lossless, as an object of its own), one upscale task for each tile, and a merge task
/// that publishes. Upscale tasks of a kUpscale job take the spec's init and need no other task.
///
/// Publishing is no task of its own: it is the commit of a picture's last task, the one that
/// `publishes`, which is the only moment at which a picture appears. There is exactly one for each
/// picture.
///
/// kInvalidArgument, naming the field, when the spec is not one that could be stored (shape.h), the
/// job would be more than kMaxTasks tasks, or the resolved job makes no sense.
[[nodiscard]] Result<JobPlan> plan_job(JobSpec spec, ResolvedJob resolved);

/// What plan_job would make of it, without making it.
struct ExpectedWork {
    std::size_t tasks = 0;
    double cost = 0.0;
};

/// The same errors.
[[nodiscard]] Result<ExpectedWork> expected_work(const JobSpec& spec, const ResolvedJob& resolved);

}  // namespace tessera
