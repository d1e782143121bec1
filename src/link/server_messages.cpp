#include "link/frame_fields_internal.h"
#include "link/messages.h"

namespace tessera {
namespace {

constexpr double kLongestPause = 86'400.0;
constexpr int kMaxAttempts = 1'000'000;

Status check(const ServerHello& hello) {
    TESSERA_TRY(check_range("heartbeat_seconds", hello.heartbeat_seconds, 0.0, kLongestPause));
    TESSERA_TRY(check_range("lease_seconds", hello.lease_seconds, 0.0, kLongestPause));
    return check_each("kept", hello.kept, kMaxHeld, check_claim<HeldTask>);
}

/// All but the spec, which has been read.
Status check(const AssignTask& assign) {
    TESSERA_TRY(check_claim(assign));
    TESSERA_TRY(check_range("attempt", assign.attempt, 1, kMaxAttempts));
    TESSERA_TRY(check_part("plan", assign.plan));
    TESSERA_TRY(check_part("unit", assign.unit));
    TESSERA_TRY(check_text("recipe", assign.recipe, kMaxRecipeBytes));
    TESSERA_TRY(check_text("affinity", assign.affinity, kMaxAffinityBytes));
    TESSERA_TRY(check_each("inputs", assign.inputs, kMaxNeeds, [](const TaskResult& input) {
        return check_shape(input);
    }));
    TESSERA_TRY(check_each("input_units", assign.input_units, kMaxNeeds, [](const UnitPlan& unit) {
        return check_shape(unit);
    }));
    if (assign.inputs.size() != assign.plan.needs.size() ||
        assign.input_units.size() != assign.inputs.size()) {
        return fail(
            ErrorKind::kInvalidArgument,
            "inputs has {} entries and input_units {}, plan.needs has {}",
            assign.inputs.size(),
            assign.input_units.size(),
            assign.plan.needs.size()
        );
    }
    if (assign.checkpoint) {
        TESSERA_TRY(check_part("checkpoint", *assign.checkpoint));
    }
    TESSERA_TRY(check_text("object_token", assign.object_token, kMaxTokenBytes));
    return check_text("traceparent", assign.traceparent, kMaxNameBytes);
}

Status check(const HeartbeatAnswer& answer) {
    return check_each("tasks", answer.tasks, kMaxHeld, check_claim<HeartbeatAnswer::Line>);
}

Status check(const CancelTask& cancel) {
    return check_claim(cancel);
}

Status check(const TaskSettled& settled) {
    TESSERA_TRY(check_claim(settled));
    return check_text("reason", settled.reason, kMaxMessageBytes);
}

Status check(const DrainOrder& drain) {
    return check_text("reason", drain.reason, kMaxMessageBytes);
}

Status check(const Goodbye& goodbye) {
    return check_text("reason", goodbye.reason, kMaxMessageBytes);
}

v1::TaskOrder order_to_proto(TaskOrder order) {
    switch (order) {
        case TaskOrder::kGoOn:
            return v1::TASK_ORDER_GO_ON;
        case TaskOrder::kCancel:
            return v1::TASK_ORDER_CANCEL;
        case TaskOrder::kDrop:
            break;
    }
    return v1::TASK_ORDER_DROP;
}

Result<TaskOrder> order_from_proto(v1::TaskOrder order) {
    switch (static_cast<int>(order)) {
        case v1::TASK_ORDER_GO_ON:
            return TaskOrder::kGoOn;
        case v1::TASK_ORDER_CANCEL:
            return TaskOrder::kCancel;
        case v1::TASK_ORDER_DROP:
            return TaskOrder::kDrop;
        default:
            return fail(
                ErrorKind::kCorrupt, "order is {}, which is not known here", static_cast<int>(order)
            );
    }
}

Status put(const ServerHello& hello, v1::ServerFrame& frame) {
    v1::ServerHello& message = *frame.mutable_hello();
    message.set_version(hello.version);
    message.set_incarnation(hello.incarnation);
    message.set_heartbeat_seconds(hello.heartbeat_seconds);
    message.set_lease_seconds(hello.lease_seconds);
    for (const HeldTask& held : hello.kept) {
        set_claim(held, *message.add_kept());
    }
    return {};
}

Result<ServerHello> get(const v1::ServerHello& message) {
    ServerHello hello;
    hello.version = message.version();
    hello.incarnation = message.incarnation();
    hello.heartbeat_seconds = message.heartbeat_seconds();
    hello.lease_seconds = message.lease_seconds();
    for (const v1::Claim& claim : message.kept()) {
        get_claim(claim, hello.kept.emplace_back());
    }
    return hello;
}

Status put(const AssignTask& assign, v1::ServerFrame& frame) {
    v1::AssignTask& message = *frame.mutable_assign();
    if (auto status = parse_message(assign.spec, *message.mutable_spec()); !status) {
        return fail(ErrorKind::kInvalidArgument, "spec: {}", status.error().message);
    }
    set_claim(assign, *message.mutable_claim());
    message.set_attempt(assign.attempt);
    to_proto(assign.plan, *message.mutable_plan());
    to_proto(assign.unit, *message.mutable_unit());
    message.set_recipe(assign.recipe);
    message.set_affinity(assign.affinity);
    for (const TaskResult& input : assign.inputs) {
        to_proto(input, *message.add_inputs());
    }
    for (const UnitPlan& unit : assign.input_units) {
        to_proto(unit, *message.add_input_units());
    }
    if (assign.checkpoint) {
        to_proto(*assign.checkpoint, *message.mutable_checkpoint());
    }
    message.set_object_token(assign.object_token);
    message.set_traceparent(assign.traceparent);
    return {};
}

Result<AssignTask> get(const v1::AssignTask& message) {
    AssignTask assign;
    get_claim(message.claim(), assign);
    assign.attempt = message.attempt();
    TESSERA_TRY(get_part("plan", message.plan(), assign.plan));
    TESSERA_TRY(get_part("unit", message.unit(), assign.unit));
    JobSpec spec;
    TESSERA_TRY(get_part("spec", message.spec(), spec));
    assign.spec = message.spec().SerializeAsString();
    assign.recipe = message.recipe();
    assign.affinity = message.affinity();
    TESSERA_TRY(get_list("inputs", message.inputs(), kMaxNeeds, assign.inputs));
    TESSERA_TRY(get_list("input_units", message.input_units(), kMaxNeeds, assign.input_units));
    if (message.has_checkpoint()) {
        TESSERA_TRY(get_part("checkpoint", message.checkpoint(), assign.checkpoint.emplace()));
    }
    assign.object_token = message.object_token();
    assign.traceparent = message.traceparent();
    return assign;
}

Status put(const HeartbeatAnswer& answer, v1::ServerFrame& frame) {
    v1::HeartbeatAnswer& message = *frame.mutable_heartbeat_answer();
    message.set_number(answer.number);
    for (const HeartbeatAnswer::Line& line : answer.tasks) {
        v1::HeartbeatAnswer::Line& task = *message.add_tasks();
        set_claim(line, *task.mutable_claim());
        task.set_order(order_to_proto(line.order));
    }
    return {};
}

Result<HeartbeatAnswer> get(const v1::HeartbeatAnswer& message) {
    HeartbeatAnswer answer;
    answer.number = message.number();
    for (const v1::HeartbeatAnswer::Line& task : message.tasks()) {
        auto order = order_from_proto(task.order());
        if (!order) {
            return in_field("tasks", answer.tasks.size(), std::move(order).error());
        }
        HeartbeatAnswer::Line& line = answer.tasks.emplace_back();
        get_claim(task.claim(), line);
        line.order = *order;
    }
    return answer;
}

Status put(const CancelTask& cancel, v1::ServerFrame& frame) {
    set_claim(cancel, *frame.mutable_cancel()->mutable_claim());
    return {};
}

Result<CancelTask> get(const v1::CancelTask& message) {
    CancelTask cancel;
    get_claim(message.claim(), cancel);
    return cancel;
}

Status put(const TaskSettled& settled, v1::ServerFrame& frame) {
    v1::TaskSettled& message = *frame.mutable_settled();
    set_claim(settled, *message.mutable_claim());
    message.set_accepted(settled.accepted);
    message.set_reason(settled.reason);
    return {};
}

Result<TaskSettled> get(const v1::TaskSettled& message) {
    TaskSettled settled;
    get_claim(message.claim(), settled);
    settled.accepted = message.accepted();
    settled.reason = message.reason();
    return settled;
}

Status put(const DrainOrder& drain, v1::ServerFrame& frame) {
    frame.mutable_drain()->set_reason(drain.reason);
    return {};
}

Result<DrainOrder> get(const v1::DrainOrder& message) {
    return DrainOrder{message.reason()};
}

Status put(const Goodbye& goodbye, v1::ServerFrame& frame) {
    frame.mutable_goodbye()->set_reason(goodbye.reason);
    frame.mutable_goodbye()->set_retry(goodbye.retry);
    return {};
}

Result<Goodbye> get(const v1::Goodbye& message) {
    return Goodbye{message.reason(), message.retry()};
}

template <class Message>
Result<ServerMessage> take(const Message& message) {
    auto value = get(message);
    if (!value) {
        return tl::unexpected(std::move(value).error());
    }
    TESSERA_TRY(check(*value));
    return *std::move(value);
}

Result<ServerMessage> take_message(const v1::ServerFrame& frame) {
    switch (frame.message_case()) {
        case v1::ServerFrame::kHello:
            return take(frame.hello());
        case v1::ServerFrame::kAssign:
            return take(frame.assign());
        case v1::ServerFrame::kHeartbeatAnswer:
            return take(frame.heartbeat_answer());
        case v1::ServerFrame::kCancel:
            return take(frame.cancel());
        case v1::ServerFrame::kSettled:
            return take(frame.settled());
        case v1::ServerFrame::kDrain:
            return take(frame.drain());
        case v1::ServerFrame::kGoodbye:
            return take(frame.goodbye());
        case v1::ServerFrame::MESSAGE_NOT_SET:
            break;
    }
    return fail(ErrorKind::kCorrupt, "message is none that is known here");
}

}  // namespace

Result<std::string> encode(const ServerMessage& message) {
    return encode_in<v1::ServerFrame>(
        message,
        [](const auto& value, v1::ServerFrame& frame) -> Status {
            TESSERA_TRY(put(value, frame));
            return check(value);
        }
    );
}

Result<ServerMessage> decode_server_message(std::string_view bytes) {
    return decode_from<v1::ServerFrame>(bytes, take_message);
}

}  // namespace tessera
