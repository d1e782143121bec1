#pragma once

#include "job/codec.h"
#include "job/job_test.h"
#include "link/messages.h"

#include <rapidcheck.h>

#include <string>
#include <vector>

/// Messages of the link drawn at random within their limits; for use in rc::check.
namespace tessera::testing {

inline Epoch any_epoch() {
    return {*rc::gen::arbitrary<std::uint64_t>()};
}
inline HeldTask any_held_task() {
    return {any_task_id(), any_epoch()};
}
inline ModelOffer any_model_offer() {
    return {any_text(), any_bool()};
}

template <class Draw>
auto some_of(const Draw& draw) -> std::vector<decltype(draw())> {
    std::vector<decltype(draw())> list;
    for (int i = any_int(0, 4); i > 0; --i) {
        list.push_back(draw());
    }
    return list;
}

inline WorkerHello any_worker_hello() {
    WorkerHello hello;
    hello.version = *rc::gen::arbitrary<std::uint32_t>();
    hello.worker = {"worker-1"};
    hello.node = any_text();
    hello.program = any_text();
    hello.fingerprint = any_text();
    hello.slots = any_int(1, kMaxSlots + 1);
    hello.models = some_of(any_model_offer);
    hello.holds = some_of(any_held_task);
    hello.predecessor = {any_bool() ? "worker-0" : ""};
    hello.predecessor_crash = any_text();
    hello.metrics_address = any_text();
    return hello;
}

inline TaskBeat any_task_beat() {
    return {any_task_id(), any_epoch(), any_task_progress(), *rc::gen::arbitrary<std::string>()};
}

inline Heartbeat any_heartbeat() {
    return {
        *rc::gen::arbitrary<std::uint64_t>(),
        some_of(any_task_beat),
        *rc::gen::arbitrary<std::uint64_t>(),
        some_of(any_model_offer)};
}

inline MetricChange any_metric_change() {
    std::vector<std::string> labels;
    for (int i = any_int(0, 4); i > 0; --i) {
        labels.push_back(any_text());
    }
    const auto buckets = *rc::gen::resize(60, rc::gen::arbitrary<std::vector<std::uint64_t>>());
    return {any_text(), std::move(labels), *rc::gen::arbitrary<double>(), buckets};
}

inline LogRecord any_log_record() {
    return {
        WallTime(std::chrono::milliseconds(*rc::gen::arbitrary<std::int64_t>())),
        static_cast<LogLevel>(any_int(0, 4)),
        any_text(),
        any_text(),
        any_text(),
        {},
        any_text()};
}

inline WorkerMessage any_worker_message() {
    switch (any_int(0, 9)) {
        case 0:
            return any_worker_hello();
        case 1:
            return WorkerReady{any_int(0, kMaxSlots + 1)};
        case 2:
            return any_heartbeat();
        case 3:
            return TaskCheckpointed{any_task_id(), any_epoch(), any_task_checkpoint()};
        case 4:
            return TaskCompleted{any_task_id(), any_epoch(), any_task_result()};
        case 5:
            return TaskFailed{any_task_id(), any_epoch(), any_task_failure()};
        case 6:
            return MetricReport{some_of(any_metric_change)};
        case 7:
            return LogReport{some_of(any_log_record)};
        default:
            return WorkerLeaving{};
    }
}

inline AssignTask any_assign_task() {
    AssignTask assign;
    assign.task = any_task_id();
    assign.epoch = any_epoch();
    assign.attempt = any_int(1, 100);
    assign.plan = any_task_plan();
    assign.unit = any_unit_plan();
    assign.spec = encode(any_job_spec());
    assign.recipe = any_text();
    assign.affinity = any_text();
    for (std::size_t i = 0; i < assign.plan.needs.size(); ++i) {
        assign.inputs.push_back(any_task_result());
        assign.input_units.push_back(any_unit_plan());
    }
    assign.checkpoint = maybe_of(any_task_checkpoint);
    assign.object_token = any_text();
    assign.traceparent = any_text();
    return assign;
}

inline HeartbeatAnswer any_heartbeat_answer() {
    const auto line = [] {
        return HeartbeatAnswer::Line{
            any_task_id(),
            any_epoch(),
            *rc::gen::element(TaskOrder::kGoOn, TaskOrder::kCancel, TaskOrder::kDrop)};
    };
    return {*rc::gen::arbitrary<std::uint64_t>(), some_of(line)};
}

inline ServerMessage any_server_message() {
    switch (any_int(0, 7)) {
        case 0:
            return ServerHello{
                *rc::gen::arbitrary<std::uint32_t>(),
                *rc::gen::arbitrary<std::uint32_t>(),
                any_int(0, 9000) / 10.0,
                any_int(0, 9000) / 10.0,
                some_of(any_held_task)};
        case 1:
            return any_assign_task();
        case 2:
            return any_heartbeat_answer();
        case 3:
            return CancelTask{any_task_id(), any_epoch()};
        case 4:
            return TaskSettled{any_task_id(), any_epoch(), any_bool(), any_text()};
        case 5:
            return DrainOrder{any_text()};
        default:
            return Goodbye{any_text(), any_bool()};
    }
}

}  // namespace tessera::testing
