#include "job/codec.h"

#include "job/proto_conversion_internal.h"

namespace tessera {
namespace {

template <class Message, class T>
std::string encode_as(const T& value) {
    Message message;
    to_proto(value, message);
    return message.SerializeAsString();
}

template <class Message>
auto decode_as(std::string_view bytes) -> decltype(from_proto(std::declval<const Message&>())) {
    Message message;
    TESSERA_TRY(parse_message(bytes, message));
    return from_proto(message);
}

}  // namespace

std::string encode(const JobSpec& spec) {
    return encode_as<v1::JobSpec>(spec);
}
std::string encode(const JobPlan& plan) {
    return encode_as<v1::JobPlan>(plan);
}
std::string encode(const UnitPlan& plan) {
    return encode_as<v1::UnitPlan>(plan);
}
std::string encode(const TaskPlan& plan) {
    return encode_as<v1::TaskPlan>(plan);
}
std::string encode(const ObjectRef& object) {
    return encode_as<v1::ObjectRef>(object);
}
std::string encode(const TaskResult& result) {
    return encode_as<v1::TaskResult>(result);
}
std::string encode(const TaskCheckpoint& checkpoint) {
    return encode_as<v1::TaskCheckpoint>(checkpoint);
}
std::string encode(const TaskProgress& progress) {
    return encode_as<v1::TaskProgress>(progress);
}
std::string encode(const TaskFailure& failure) {
    return encode_as<v1::TaskFailure>(failure);
}

Result<JobSpec> decode_job_spec(std::string_view bytes) {
    return decode_as<v1::JobSpec>(bytes);
}
Result<JobPlan> decode_job_plan(std::string_view bytes) {
    return decode_as<v1::JobPlan>(bytes);
}
Result<UnitPlan> decode_unit_plan(std::string_view bytes) {
    return decode_as<v1::UnitPlan>(bytes);
}
Result<TaskPlan> decode_task_plan(std::string_view bytes) {
    return decode_as<v1::TaskPlan>(bytes);
}
Result<ObjectRef> decode_object_ref(std::string_view bytes) {
    return decode_as<v1::ObjectRef>(bytes);
}
Result<TaskResult> decode_task_result(std::string_view bytes) {
    return decode_as<v1::TaskResult>(bytes);
}
Result<TaskCheckpoint> decode_task_checkpoint(std::string_view bytes) {
    return decode_as<v1::TaskCheckpoint>(bytes);
}
Result<TaskProgress> decode_task_progress(std::string_view bytes) {
    return decode_as<v1::TaskProgress>(bytes);
}
Result<TaskFailure> decode_task_failure(std::string_view bytes) {
    return decode_as<v1::TaskFailure>(bytes);
}

}  // namespace tessera
