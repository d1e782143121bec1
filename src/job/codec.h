#pragma once

#include "base/result.h"
#include "job/job_spec.h"
#include "job/task.h"

#include <string>
#include <string_view>

/// The job's vocabulary as Protocol Buffers (proto/tessera/v1/job.proto), for whoever stores or
/// sends it. JobSpec's pair stands in job_spec.h. Pure; any thread.
///
/// Encoding cannot fail and gives equal bytes for equal values. What check_shape (shape.h) finds
/// fault with can be encoded, but not decoded again: check what comes from outside before it is
/// stored. A TaskFailure alone is always made to fit, since its words come from anywhere: bad
/// UTF-8 is replaced, the message keeps its beginning and the log its end.
///
/// Decoding expects any bytes at all: kCorrupt, with the field's name, unless they are a message
/// that keeps to the limits of shape.h.
namespace tessera {

[[nodiscard]] std::string encode(const JobPlan& plan);
[[nodiscard]] std::string encode(const UnitPlan& plan);
[[nodiscard]] std::string encode(const TaskPlan& plan);
[[nodiscard]] std::string encode(const ObjectRef& object);
[[nodiscard]] std::string encode(const TaskResult& result);
[[nodiscard]] std::string encode(const TaskCheckpoint& checkpoint);
[[nodiscard]] std::string encode(const TaskProgress& progress);
[[nodiscard]] std::string encode(const TaskFailure& failure);

[[nodiscard]] Result<JobPlan> decode_job_plan(std::string_view bytes);
[[nodiscard]] Result<UnitPlan> decode_unit_plan(std::string_view bytes);
[[nodiscard]] Result<TaskPlan> decode_task_plan(std::string_view bytes);
[[nodiscard]] Result<ObjectRef> decode_object_ref(std::string_view bytes);
[[nodiscard]] Result<TaskResult> decode_task_result(std::string_view bytes);
[[nodiscard]] Result<TaskCheckpoint> decode_task_checkpoint(std::string_view bytes);
[[nodiscard]] Result<TaskProgress> decode_task_progress(std::string_view bytes);
[[nodiscard]] Result<TaskFailure> decode_task_failure(std::string_view bytes);

}  // namespace tessera
