#include "job/shape.h"

#include "job/field_checks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

namespace tessera {
namespace {

constexpr double kMaxCost = 1e12;
constexpr double kMaxSeconds = 1e9;
// The end of the year 2261: the system's clock counts nanoseconds in 63 bits.
constexpr std::chrono::milliseconds kLastMoment{9'214'646'399'999};

/// Each of the fields in front names a text of at most kMaxNameBytes.
using NamedText = std::pair<std::string_view, const std::string*>;

template <std::size_t size>
Status check_names(const std::array<NamedText, size>& texts) {
    for (const auto& [field, text] : texts) {
        TESSERA_TRY(check_text(field, *text, kMaxNameBytes));
    }
    return {};
}

using NamedNumber = std::pair<std::string_view, double>;

template <std::size_t size>
Status check_finite(const std::array<NamedNumber, size>& numbers) {
    for (const auto& [field, number] : numbers) {
        if (!std::isfinite(number)) {
            return fail(ErrorKind::kInvalidArgument, "{} is no finite number", field);
        }
    }
    return {};
}

Status check_shape(const RenderSettings& render) {
    TESSERA_TRY(check_text("prompt", render.prompt, kMaxPromptBytes));
    TESSERA_TRY(check_text("negative_prompt", render.negative_prompt, kMaxPromptBytes));
    TESSERA_TRY(check_size("styles", render.styles.size(), kMaxStyles));
    for (std::size_t i = 0; i < render.styles.size(); ++i) {
        if (auto status = check_text("", render.styles[i], kMaxNameBytes); !status) {
            return in_field("styles", i, std::move(status).error());
        }
    }
    TESSERA_TRY(check_names(std::to_array<NamedText>({
        {"model", &render.model},
        {"sampler", &render.sampler},
        {"schedule", &render.schedule},
        {"cfg_interval", &render.cfg_interval},
        {"seed", &render.seed},
        {"rng", &render.rng},
        {"variation_seed", &render.variation_seed},
        {"seed_resize", &render.seed_resize},
        {"size", &render.size},
        {"hires", &render.hires},
        {"upscaler", &render.upscaler},
        {"resize_mode", &render.resize_mode},
        {"masked_content", &render.masked_content},
        {"outpaint", &render.outpaint},
    })));
    return check_finite(std::to_array<NamedNumber>({
        {"cfg", render.cfg.value_or(0.0)},
        {"cfg_rescale", render.cfg_rescale},
        {"eta", render.eta.value_or(0.0)},
        {"s_noise", render.s_noise.value_or(0.0)},
        {"variation_strength", render.variation_strength.value_or(0.0)},
        {"hires_strength", render.hires_strength.value_or(0.0)},
        {"strength", render.strength.value_or(0.0)},
        {"mask_blur", render.mask_blur.value_or(0.0)},
    }));
}

Status check_shape(const UpscaleSettings& upscale) {
    TESSERA_TRY(check_text("upscaler", upscale.upscaler, kMaxNameBytes));
    return check_text("scale", upscale.scale, kMaxNameBytes);
}

Status check_shape(const TileRegion& region) {
    TESSERA_TRY(check_range("x", region.x, 0, kMaxSide));
    TESSERA_TRY(check_range("y", region.y, 0, kMaxSide));
    TESSERA_TRY(check_range("width", region.width, 0, kMaxSide));
    return check_range("height", region.height, 0, kMaxSide);
}

Status check_shape(const StageTime& time) {
    TESSERA_TRY(check_text("stage", time.stage, kMaxNameBytes));
    return check_range("seconds", time.seconds, 0.0, kMaxSeconds);
}

template <class T>
Status check_part(std::string_view field, const T& part) {
    auto status = check_shape(part);
    return status ? Status() : in_field(field, std::move(status).error());
}

template <class T>
Status check_list(std::string_view field, const std::vector<T>& list, std::size_t limit) {
    TESSERA_TRY(check_size(field, list.size(), limit));
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (auto status = check_shape(list[i]); !status) {
            return in_field(field, i, std::move(status).error());
        }
    }
    return {};
}

}  // namespace

Status check_shape(const JobSpec& spec) {
    TESSERA_TRY(check_part("render", spec.render));
    TESSERA_TRY(check_part("upscale", spec.upscale));
    TESSERA_TRY(check_range("count", spec.count, 1, kMaxCount));
    if (!spec.init.empty()) {
        TESSERA_TRY(check_hash("init", spec.init));
    }
    if (!spec.mask.empty()) {
        TESSERA_TRY(check_hash("mask", spec.mask));
    }
    if (!std::ranges::count(kOutputFormats, spec.output.format)) {
        return fail(ErrorKind::kInvalidArgument, "output.format is none of png, jpeg and webp");
    }
    TESSERA_TRY(check_range("output.quality", spec.output.quality.value_or(100), 1, 100));
    if (spec.deadline) {
        const auto moment = spec.deadline->time_since_epoch();
        if (moment < std::chrono::milliseconds::zero() || moment > kLastMoment) {
            return fail(ErrorKind::kInvalidArgument, "deadline is not in the years 1970 to 2261");
        }
    }
    TESSERA_TRY(check_text("webhook", spec.webhook, kMaxWebhookBytes));
    return check_names(std::to_array<NamedText>({
        {"tenant", &spec.tenant},
        {"idempotency_key", &spec.idempotency_key},
        {"client_tag", &spec.client_tag},
        {"traceparent", &spec.traceparent},
    }));
}

Status check_shape(const UnitPlan& unit) {
    TESSERA_TRY(check_range("part_of", unit.part_of.value_or(0), 0, kMaxUnits - 1));
    return check_part("region", unit.region);
}

Status check_shape(const TaskPlan& task) {
    TESSERA_TRY(check_range("unit", task.unit, 0, kMaxUnits - 1));
    TESSERA_TRY(check_size("needs", task.needs.size(), kMaxNeeds));
    for (std::size_t i = 0; i < task.needs.size(); ++i) {
        if (auto status = check_range("", task.needs[i], 0, kMaxTasks - 1); !status) {
            return in_field("needs", i, std::move(status).error());
        }
    }
    return check_range("cost", task.cost, 0.0, kMaxCost);
}

Status check_shape(const JobPlan& plan) {
    TESSERA_TRY(check_part("spec", plan.spec));
    TESSERA_TRY(check_text("recipe", plan.recipe, kMaxRecipeBytes));
    TESSERA_TRY(check_text("affinity", plan.affinity, kMaxAffinityBytes));
    TESSERA_TRY(check_list("units", plan.units, kMaxUnits));
    TESSERA_TRY(check_list("tasks", plan.tasks, kMaxTasks));
    TESSERA_TRY(check_size("remarks", plan.remarks.size(), kMaxRemarks));
    for (std::size_t i = 0; i < plan.remarks.size(); ++i) {
        if (auto status = check_text("", plan.remarks[i], kMaxRemarkBytes); !status) {
            return in_field("remarks", i, std::move(status).error());
        }
    }
    for (std::size_t i = 0; i < plan.units.size(); ++i) {
        const auto& part_of = plan.units[i].part_of;
        if (part_of && (static_cast<std::size_t>(*part_of) >= plan.units.size() ||
                        plan.units[static_cast<std::size_t>(*part_of)].part_of)) {
            return fail(
                ErrorKind::kInvalidArgument, "units[{}].part_of is {}, no picture", i, *part_of
            );
        }
    }
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        const TaskPlan& task = plan.tasks[i];
        if (static_cast<std::size_t>(task.unit) >= plan.units.size()) {
            return fail(ErrorKind::kInvalidArgument, "tasks[{}].unit is {}, no unit", i, task.unit);
        }
        for (const int need : task.needs) {
            if (static_cast<std::size_t>(need) >= i) {
                return fail(
                    ErrorKind::kInvalidArgument,
                    "tasks[{}].needs names {}, which is no earlier task",
                    i,
                    need
                );
            }
        }
    }
    return {};
}

Status check_shape(const ObjectRef& object) {
    TESSERA_TRY(check_hash("sha256", object.sha256));
    if (object.bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return fail(ErrorKind::kInvalidArgument, "bytes is {}, too many", object.bytes);
    }
    return check_text("media_type", object.media_type, kMaxNameBytes);
}

Status check_shape(const TaskResult& result) {
    TESSERA_TRY(check_part("object", result.object));
    TESSERA_TRY(check_text("fingerprint", result.fingerprint, kMaxNameBytes));
    TESSERA_TRY(check_list("times", result.times, kMaxStageTimes));
    TESSERA_TRY(check_text("recipe", result.recipe, kMaxRecipeBytes));
    TESSERA_TRY(check_range("width", result.width, 0, kMaxSide));
    return check_range("height", result.height, 0, kMaxSide);
}

Status check_shape(const TaskCheckpoint& checkpoint) {
    TESSERA_TRY(check_part("object", checkpoint.object));
    TESSERA_TRY(check_range("step", checkpoint.step, 0, kMaxSteps));
    return check_text("fingerprint", checkpoint.fingerprint, kMaxNameBytes);
}

Status check_shape(const TaskProgress& progress) {
    TESSERA_TRY(check_range("steps", progress.steps, 0, kMaxSteps));
    TESSERA_TRY(check_range("step", progress.step, 0, progress.steps));
    return check_text("stage", progress.stage, kMaxNameBytes);
}

Status check_shape(const TaskFailure& failure) {
    TESSERA_TRY(check_text("message", failure.message, kMaxMessageBytes));
    return check_text("log", failure.log, kMaxLogBytes);
}

Status check_shape(const TaskId& id) {
    TESSERA_TRY(check_id("job", id.job.value));
    return check_range("index", id.index, 0, kMaxTasks - 1);
}

}  // namespace tessera
