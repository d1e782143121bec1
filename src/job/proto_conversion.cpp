#include "job/field_checks.h"
#include "job/fitted_text.h"
#include "job/proto_conversion_internal.h"
#include "job/proto_fields_internal.h"
#include "job/shape.h"

#include <string>
#include <utility>
#include <vector>

namespace tessera {
namespace {

v1::TaskKind to_proto(TaskKind kind) {
    switch (kind) {
        case TaskKind::kRender:
            return v1::TASK_KIND_RENDER;
        case TaskKind::kUpscale:
            return v1::TASK_KIND_UPSCALE;
        case TaskKind::kMerge:
            break;
    }
    return v1::TASK_KIND_MERGE;
}

Result<TaskKind> from_proto(v1::TaskKind kind) {
    switch (static_cast<int>(kind)) {
        case v1::TASK_KIND_RENDER:
            return TaskKind::kRender;
        case v1::TASK_KIND_UPSCALE:
            return TaskKind::kUpscale;
        case v1::TASK_KIND_MERGE:
            return TaskKind::kMerge;
        default:
            return unknown_enum("kind", kind);
    }
}

template <class T, class Messages>
void list_to_proto(const std::vector<T>& list, Messages& messages) {
    messages.Reserve(static_cast<int>(list.size()));
    for (const T& element : list) {
        tessera::to_proto(element, *messages.Add());
    }
}

/// Takes over a list's elements, naming the one that is refused.
template <class T, class Messages>
Status list_from_proto(std::string_view field, const Messages& messages, std::vector<T>& list) {
    list.reserve(static_cast<std::size_t>(messages.size()));
    for (const auto& message : messages) {
        auto element = tessera::from_proto(message);
        if (!element) {
            return in_field(field, list.size(), std::move(element).error());
        }
        list.push_back(*std::move(element));
    }
    return {};
}

template <class Messages>
Status check_list_size(std::string_view field, const Messages& messages, std::size_t limit) {
    if (auto status = check_size(field, static_cast<std::size_t>(messages.size()), limit);
        !status) {
        return fail(ErrorKind::kCorrupt, "{}", status.error().message);
    }
    return {};
}

}  // namespace

void to_proto(const UnitPlan& unit, v1::UnitPlan& message) {
    if (unit.part_of) {
        message.set_part_of(*unit.part_of);
    }
    v1::TileRegion& region = *message.mutable_region();
    region.set_x(unit.region.x);
    region.set_y(unit.region.y);
    region.set_width(unit.region.width);
    region.set_height(unit.region.height);
}

Result<UnitPlan> from_proto(const v1::UnitPlan& message) {
    const v1::TileRegion& region = message.region();
    return checked(UnitPlan{
        .part_of = maybe(message.has_part_of(), message.part_of()),
        .region = {region.x(), region.y(), region.width(), region.height()},
    });
}

void to_proto(const TaskPlan& task, v1::TaskPlan& message) {
    message.set_kind(to_proto(task.kind));
    message.set_unit(task.unit);
    message.mutable_needs()->Assign(task.needs.begin(), task.needs.end());
    message.set_cost(task.cost);
    message.set_publishes(task.publishes);
}

Result<TaskPlan> from_proto(const v1::TaskPlan& message) {
    TESSERA_ASSIGN(const TaskKind kind, from_proto(message.kind()));
    return checked(TaskPlan{
        .kind = kind,
        .unit = message.unit(),
        .needs = {message.needs().begin(), message.needs().end()},
        .cost = message.cost(),
        .publishes = message.publishes(),
    });
}

void to_proto(const JobPlan& plan, v1::JobPlan& message) {
    to_proto(plan.spec, *message.mutable_spec());
    message.set_recipe(plan.recipe);
    message.set_affinity(plan.affinity);
    list_to_proto(plan.units, *message.mutable_units());
    list_to_proto(plan.tasks, *message.mutable_tasks());
    message.mutable_remarks()->Assign(plan.remarks.begin(), plan.remarks.end());
}

Result<JobPlan> from_proto(const v1::JobPlan& message) {
    TESSERA_TRY(check_list_size("units", message.units(), kMaxUnits));
    TESSERA_TRY(check_list_size("tasks", message.tasks(), kMaxTasks));
    JobPlan plan;
    auto spec = from_proto(message.spec());
    if (!spec) {
        return in_field("spec", std::move(spec).error());
    }
    plan.spec = *std::move(spec);
    plan.recipe = message.recipe();
    plan.affinity = message.affinity();
    TESSERA_TRY(list_from_proto("units", message.units(), plan.units));
    TESSERA_TRY(list_from_proto("tasks", message.tasks(), plan.tasks));
    plan.remarks.assign(message.remarks().begin(), message.remarks().end());
    return checked(std::move(plan));
}

void to_proto(const ObjectRef& object, v1::ObjectRef& message) {
    message.set_sha256(object.sha256);
    message.set_bytes(object.bytes);
    message.set_media_type(object.media_type);
}

Result<ObjectRef> from_proto(const v1::ObjectRef& message) {
    return checked(ObjectRef{message.sha256(), message.bytes(), message.media_type()});
}

void to_proto(const TaskResult& result, v1::TaskResult& message) {
    to_proto(result.object, *message.mutable_object());
    message.set_fingerprint(result.fingerprint);
    for (const StageTime& time : result.times) {
        v1::StageTime& stage = *message.add_times();
        stage.set_stage(time.stage);
        stage.set_seconds(time.seconds);
    }
    message.set_recipe(result.recipe);
    message.set_width(result.width);
    message.set_height(result.height);
}

Result<TaskResult> from_proto(const v1::TaskResult& message) {
    TESSERA_TRY(check_list_size("times", message.times(), kMaxStageTimes));
    TaskResult result;
    const v1::ObjectRef& object = message.object();
    result.object = {object.sha256(), object.bytes(), object.media_type()};
    result.fingerprint = message.fingerprint();
    for (const v1::StageTime& time : message.times()) {
        result.times.push_back({time.stage(), time.seconds()});
    }
    result.recipe = message.recipe();
    result.width = message.width();
    result.height = message.height();
    return checked(std::move(result));
}

void to_proto(const TaskCheckpoint& checkpoint, v1::TaskCheckpoint& message) {
    to_proto(checkpoint.object, *message.mutable_object());
    message.set_step(checkpoint.step);
    message.set_fingerprint(checkpoint.fingerprint);
}

Result<TaskCheckpoint> from_proto(const v1::TaskCheckpoint& message) {
    const v1::ObjectRef& object = message.object();
    return checked(TaskCheckpoint{
        .object = {object.sha256(), object.bytes(), object.media_type()},
        .step = message.step(),
        .fingerprint = message.fingerprint(),
    });
}

void to_proto(const TaskProgress& progress, v1::TaskProgress& message) {
    message.set_step(progress.step);
    message.set_steps(progress.steps);
    message.set_stage(progress.stage);
}

Result<TaskProgress> from_proto(const v1::TaskProgress& message) {
    return checked(TaskProgress{message.step(), message.steps(), message.stage()});
}

void to_proto(const TaskFailure& failure, v1::TaskFailure& message) {
    message.set_fault(
        failure.fault == FaultKind::kTask ? v1::FAULT_KIND_TASK : v1::FAULT_KIND_INFRASTRUCTURE
    );
    message.set_retryable(failure.retryable);
    message.set_message(text_beginning(failure.message, kMaxMessageBytes));
    message.set_log(text_end(failure.log, kMaxLogBytes));
}

Result<TaskFailure> from_proto(const v1::TaskFailure& message) {
    TaskFailure failure;
    switch (static_cast<int>(message.fault())) {
        case v1::FAULT_KIND_TASK:
            failure.fault = FaultKind::kTask;
            break;
        case v1::FAULT_KIND_INFRASTRUCTURE:
            failure.fault = FaultKind::kInfrastructure;
            break;
        default:
            return unknown_enum("fault", message.fault());
    }
    failure.retryable = message.retryable();
    failure.message = message.message();
    failure.log = message.log();
    return checked(std::move(failure));
}

}  // namespace tessera
