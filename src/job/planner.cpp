#include "job/planner.h"

#include "job/cost.h"
#include "job/field_checks.h"
#include "job/shape.h"
#include "job/tile_grid.h"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace tessera {
namespace {

/// The tasks of one picture. `needs` count from its own first task; `unit` 0 is the picture, n its
/// n-th tile.
struct PicturePlan {
    std::vector<TileRegion> tiles;
    std::vector<TaskPlan> tasks;

    [[nodiscard]] double cost() const {
        double sum = 0.0;
        for (const TaskPlan& task : tasks) {
            sum += task.cost;
        }
        return sum;
    }
};

Status check_resolved(const JobSpec& spec, const ResolvedJob& resolved) {
    const bool renders = spec.kind == JobKind::kRender;
    if (renders == resolved.passes.empty() || (!renders && !resolved.enlargement)) {
        return fail(ErrorKind::kInternal, "the resolved job does not fit the job's kind");
    }
    if (!renders && spec.init.empty()) {
        return fail(ErrorKind::kInvalidArgument, "init is missing: there is no picture to enlarge");
    }
    TESSERA_TRY(check_range("width", resolved.size.width, 1, kMaxSide));
    TESSERA_TRY(check_range("height", resolved.size.height, 1, kMaxSide));
    for (const DenoisePass& pass : resolved.passes) {
        TESSERA_TRY(check_range("width", pass.size.width, 1, kMaxSide));
        TESSERA_TRY(check_range("height", pass.size.height, 1, kMaxSide));
        TESSERA_TRY(check_range("steps", pass.steps, 0, kMaxSteps));
    }
    if (resolved.enlargement) {
        TESSERA_TRY(check_range("scale", resolved.enlargement->scale, 1e-3, 1e3));
        TESSERA_TRY(check_range("tile", resolved.enlargement->tile_side, 1, kMaxSide));
    }
    return {};
}

std::vector<TileRegion> tiles_of(const ResolvedJob& resolved) {
    const PixelSize size = resolved.size;
    if (!resolved.enlargement || std::int64_t{size.width} * size.height <= kTiledAbovePixels) {
        return {};
    }
    const auto& [scale, side] = *resolved.enlargement;
    const bool whole = scale >= 1.0 && scale <= side && scale == std::floor(scale);
    auto tiles = tile_grid(size, side, whole ? static_cast<int>(scale) : 1);
    return tiles.size() > 1 ? std::move(tiles) : std::vector<TileRegion>();
}

PicturePlan plan_picture(const JobSpec& spec, const ResolvedJob& resolved) {
    const bool renders = spec.kind == JobKind::kRender;
    const double render =
        renders ? kTaskCost + render_cost(resolved.passes, !spec.init.empty()) : 0.0;
    PicturePlan plan;
    plan.tiles = tiles_of(resolved);
    if (plan.tiles.empty()) {
        const double enlarge = resolved.enlargement ? enlarge_cost(resolved.size) : 0.0;
        plan.tasks.push_back({
            .kind = renders ? TaskKind::kRender : TaskKind::kUpscale,
            .unit = 0,
            .needs = {},
            .cost = renders ? render + enlarge : kTaskCost + enlarge,
            .publishes = true,
        });
        return plan;
    }

    if (renders) {
        plan.tasks.push_back({.kind = TaskKind::kRender, .unit = 0, .needs = {}, .cost = render});
    }
    TaskPlan merge{
        .kind = TaskKind::kMerge,
        .unit = 0,
        .needs = {},
        .cost = kTaskCost + merge_cost(resolved.size),
        .publishes = true,
    };
    for (const TileRegion& tile : plan.tiles) {
        merge.needs.push_back(static_cast<int>(plan.tasks.size()));
        plan.tasks.push_back({
            .kind = TaskKind::kUpscale,
            .unit = static_cast<int>(merge.needs.size()),
            .needs = renders ? std::vector<int>{0} : std::vector<int>{},
            .cost = kTaskCost + enlarge_cost({tile.width, tile.height}),
        });
    }
    plan.tasks.push_back(std::move(merge));
    return plan;
}

Result<PicturePlan> checked_picture(const JobSpec& spec, const ResolvedJob& resolved) {
    TESSERA_TRY(check_shape(spec));
    TESSERA_TRY(check_resolved(spec, resolved));
    PicturePlan picture = plan_picture(spec, resolved);
    const std::size_t tasks = picture.tasks.size() * static_cast<std::size_t>(spec.count);
    if (tasks > kMaxTasks) {
        return fail(
            ErrorKind::kInvalidArgument,
            "count is {}: with {} tasks for each picture that is {}, {} are allowed",
            spec.count,
            picture.tasks.size(),
            tasks,
            kMaxTasks
        );
    }
    return picture;
}

}  // namespace

Result<JobPlan> plan_job(JobSpec spec, ResolvedJob resolved) {
    TESSERA_ASSIGN(const PicturePlan picture, checked_picture(spec, resolved));
    const int tiles = static_cast<int>(picture.tiles.size());
    const int tasks = static_cast<int>(picture.tasks.size());

    JobPlan plan;
    const PixelSize size = resolved.size;
    plan.units.assign(
        static_cast<std::size_t>(spec.count), UnitPlan{{}, {0, 0, size.width, size.height}}
    );
    plan.tasks.reserve(picture.tasks.size() * plan.units.size());
    for (int number = 0; number < spec.count; ++number) {
        for (const TileRegion& tile : picture.tiles) {
            plan.units.push_back({number, tile});
        }
        for (TaskPlan task : picture.tasks) {
            task.unit = task.unit == 0 ? number : spec.count + number * tiles + task.unit - 1;
            for (int& need : task.needs) {
                need += number * tasks;
            }
            plan.tasks.push_back(std::move(task));
        }
    }
    plan.spec = std::move(spec);
    plan.recipe = std::move(resolved.recipe);
    plan.affinity = std::move(resolved.affinity);
    plan.remarks = std::move(resolved.remarks);
    TESSERA_TRY(check_shape(plan));
    return plan;
}

Result<ExpectedWork> expected_work(const JobSpec& spec, const ResolvedJob& resolved) {
    TESSERA_ASSIGN(const PicturePlan picture, checked_picture(spec, resolved));
    return ExpectedWork{
        .tasks = picture.tasks.size() * static_cast<std::size_t>(spec.count),
        .cost = picture.cost() * spec.count,
    };
}

}  // namespace tessera
