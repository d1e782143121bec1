#include "job/limits.h"

#include "job/planner.h"

#include <algorithm>
#include <string_view>

namespace tessera {
namespace {

Status check_prompt(std::string_view field, std::string_view prompt, const TenantLimits& limits) {
    if (prompt.size() > limits.max_prompt_bytes) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} has {} bytes, {} are allowed",
            field,
            prompt.size(),
            limits.max_prompt_bytes
        );
    }
    return {};
}

Status check_size(std::string_view field, PixelSize size, const TenantLimits& limits) {
    if (size.width > limits.max_side || size.height > limits.max_side) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} leads to {}x{}, {} pixels are allowed on a side",
            field,
            size.width,
            size.height,
            limits.max_side
        );
    }
    const std::int64_t pixels = std::int64_t{size.width} * size.height;
    if (pixels > limits.max_pixels) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} leads to {}x{}, which are {} pixels, {} are allowed",
            field,
            size.width,
            size.height,
            pixels,
            limits.max_pixels
        );
    }
    return {};
}

/// What is asked for, without what waits.
Status check_job(const JobSpec& spec, const ResolvedJob& resolved, const TenantLimits& limits) {
    if (spec.count > limits.max_count) {
        return fail(
            ErrorKind::kInvalidArgument, "count is {}, {} are allowed", spec.count, limits.max_count
        );
    }
    TESSERA_TRY(check_prompt("prompt", spec.render.prompt, limits));
    TESSERA_TRY(check_prompt("negative_prompt", spec.render.negative_prompt, limits));
    for (std::size_t i = 0; i < resolved.passes.size(); ++i) {
        const DenoisePass& pass = resolved.passes[i];
        TESSERA_TRY(check_size(i == 0 ? "size" : "hires", pass.size, limits));
        if (pass.steps > limits.max_steps) {
            return fail(
                ErrorKind::kInvalidArgument,
                "{} is {}, {} are allowed",
                i == 0 ? "steps" : "hires_steps",
                pass.steps,
                limits.max_steps
            );
        }
    }
    return check_size(spec.kind == JobKind::kUpscale ? "scale" : "size", resolved.size, limits);
}

}  // namespace

Status check_limits(
    const JobSpec& spec,
    const ResolvedJob& resolved,
    const TenantLoad& load,
    const TenantLimits& limits
) {
    TESSERA_TRY(check_job(spec, resolved, limits));
    TESSERA_ASSIGN(const ExpectedWork work, expected_work(spec, resolved));
    if (work.cost > limits.max_cost) {
        return fail(
            ErrorKind::kInvalidArgument,
            "count {} leads to {:.0f} megapixel-steps, {:.0f} are allowed; ask for fewer or "
            "smaller pictures or fewer steps",
            spec.count,
            work.cost,
            limits.max_cost
        );
    }
    const std::size_t most_tasks =
        std::min(limits.max_queued_tasks, limits.max_queued_tasks_of_all);
    if (work.tasks > most_tasks || work.cost > limits.max_queued_cost) {
        return fail(
            ErrorKind::kInvalidArgument,
            "count {} leads to {} tasks that cost {:.0f} megapixel-steps, {} and {:.0f} may wait "
            "at a time; ask for fewer pictures",
            spec.count,
            work.tasks,
            work.cost,
            most_tasks,
            limits.max_queued_cost
        );
    }
    if (load.queued_tasks + work.tasks > limits.max_queued_tasks) {
        return fail(
            ErrorKind::kExhausted,
            "{} of your tasks wait and this job adds {}, {} may wait at a time; try again later",
            load.queued_tasks,
            work.tasks,
            limits.max_queued_tasks
        );
    }
    if (load.queued_tasks_of_all + work.tasks > limits.max_queued_tasks_of_all) {
        return fail(
            ErrorKind::kExhausted,
            "{} tasks wait in all and this job adds {}, {} may wait at a time; try again later",
            load.queued_tasks_of_all,
            work.tasks,
            limits.max_queued_tasks_of_all
        );
    }
    if (load.queued_cost + work.cost > limits.max_queued_cost) {
        return fail(
            ErrorKind::kExhausted,
            "{:.0f} megapixel-steps of yours wait and this job adds {:.0f}, {:.0f} may wait at a "
            "time; try again later",
            load.queued_cost,
            work.cost,
            limits.max_queued_cost
        );
    }
    return {};
}

}  // namespace tessera
