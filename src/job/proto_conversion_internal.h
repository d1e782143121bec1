#pragma once

#include "base/result.h"
#include "job/job_spec.h"
#include "job/task.h"

#include <google/protobuf/message.h>
#include <tessera/v1/job.pb.h>

#include <string_view>

/// Between the plain structs and the generated messages. For the .cpp files of job/, and of link/,
/// whose frames hold the same messages: no other header may show them.
namespace tessera {

void to_proto(const JobSpec& spec, v1::JobSpec& message);
void to_proto(const UnitPlan& unit, v1::UnitPlan& message);
void to_proto(const TaskPlan& task, v1::TaskPlan& message);
void to_proto(const JobPlan& plan, v1::JobPlan& message);
void to_proto(const ObjectRef& object, v1::ObjectRef& message);
void to_proto(const TaskResult& result, v1::TaskResult& message);
void to_proto(const TaskCheckpoint& checkpoint, v1::TaskCheckpoint& message);
void to_proto(const TaskProgress& progress, v1::TaskProgress& message);
/// Makes it fit; see codec.h.
void to_proto(const TaskFailure& failure, v1::TaskFailure& message);

/// kCorrupt for an enum value that is not known, and for what check_shape finds. The error begins
/// with the field's name.
[[nodiscard]] Result<JobSpec> from_proto(const v1::JobSpec& message);
[[nodiscard]] Result<UnitPlan> from_proto(const v1::UnitPlan& message);
[[nodiscard]] Result<TaskPlan> from_proto(const v1::TaskPlan& message);
[[nodiscard]] Result<JobPlan> from_proto(const v1::JobPlan& message);
[[nodiscard]] Result<ObjectRef> from_proto(const v1::ObjectRef& message);
[[nodiscard]] Result<TaskResult> from_proto(const v1::TaskResult& message);
[[nodiscard]] Result<TaskCheckpoint> from_proto(const v1::TaskCheckpoint& message);
[[nodiscard]] Result<TaskProgress> from_proto(const v1::TaskProgress& message);
[[nodiscard]] Result<TaskFailure> from_proto(const v1::TaskFailure& message);

/// Fills the message. kCorrupt, with the field's name where text is not UTF-8; nothing is written
/// to the log about it, since anybody can send it.
[[nodiscard]] Status parse_message(std::string_view bytes, google::protobuf::Message& message);

}  // namespace tessera
