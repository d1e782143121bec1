#include "link/frame_fields_internal.h"
#include "link/messages.h"

#include <cmath>

namespace tessera {
namespace {

constexpr std::size_t kMostBuckets = 64;

Status check(const ModelOffer& offer) {
    return check_text("affinity", offer.affinity, kMaxAffinityBytes);
}

Status check(const TaskBeat& beat) {
    TESSERA_TRY(check_claim(beat));
    TESSERA_TRY(check_part("progress", beat.progress));
    if (beat.preview.size() > kMaxPreviewBytes) {
        return fail(
            ErrorKind::kInvalidArgument,
            "preview has {} bytes, {} are allowed",
            beat.preview.size(),
            kMaxPreviewBytes
        );
    }
    return {};
}

Status check(const WorkerHello& hello) {
    TESSERA_TRY(check_id("worker", hello.worker.value));
    TESSERA_TRY(check_text("node", hello.node, kMaxNameBytes));
    TESSERA_TRY(check_text("program", hello.program, kMaxNameBytes));
    TESSERA_TRY(check_text("fingerprint", hello.fingerprint, kMaxNameBytes));
    TESSERA_TRY(check_range("slots", hello.slots, 1, kMaxSlots));
    TESSERA_TRY(check_each("models", hello.models, kMaxModelOffers, [](const ModelOffer& offer) {
        return check(offer);
    }));
    TESSERA_TRY(check_each("holds", hello.holds, kMaxHeld, check_claim<HeldTask>));
    if (!hello.predecessor.value.empty()) {
        TESSERA_TRY(check_id("predecessor", hello.predecessor.value));
    }
    TESSERA_TRY(check_text("predecessor_crash", hello.predecessor_crash, kMaxNameBytes));
    return check_text("metrics_address", hello.metrics_address, kMaxNameBytes);
}

Status check(const WorkerReady& ready) {
    return check_range("slots", ready.slots, 0, kMaxSlots);
}

Status check(const Heartbeat& heartbeat) {
    TESSERA_TRY(check_each("tasks", heartbeat.tasks, kMaxHeld, [](const TaskBeat& beat) {
        return check(beat);
    }));
    return check_each("models", heartbeat.models, kMaxModelOffers, [](const ModelOffer& offer) {
        return check(offer);
    });
}

Status check(const TaskCheckpointed& message) {
    TESSERA_TRY(check_claim(message));
    return check_part("checkpoint", message.checkpoint);
}

Status check(const TaskCompleted& message) {
    TESSERA_TRY(check_claim(message));
    return check_part("result", message.result);
}

/// Its failure is made to fit.
Status check(const TaskFailed& message) {
    return check_claim(message);
}

Status check(const MetricChange& change) {
    TESSERA_TRY(check_text("name", change.name, kMaxNameBytes));
    TESSERA_TRY(check_each("labels", change.labels, kMostLabels, [](const std::string& value) {
        return check_text("value", value, kMaxNameBytes);
    }));
    if (!std::isfinite(change.sum)) {
        return fail(ErrorKind::kInvalidArgument, "sum is no number");
    }
    return check_size("buckets", change.buckets.size(), kMostBuckets);
}

Status check(const MetricReport& report) {
    return check_each("changes", report.changes, kMaxMetricChanges, [](const MetricChange& change) {
        return check(change);
    });
}

Status check(const LogRecord& record) {
    TESSERA_TRY(check_text("message", record.message, kMaxLogMessage));
    TESSERA_TRY(check_text("job", record.job, kMaxNameBytes));
    TESSERA_TRY(check_text("task", record.task, kMaxNameBytes));
    return check_text("trace", record.trace, kMaxNameBytes);
}

Status check(const LogReport& report) {
    return check_each("records", report.records, kMaxLogRecords, [](const LogRecord& record) {
        return check(record);
    });
}

Status check(const WorkerLeaving& /*message*/) {
    return {};
}

void set_offers(
    const std::vector<ModelOffer>& offers, google::protobuf::RepeatedPtrField<v1::ModelOffer>& list
) {
    for (const ModelOffer& offer : offers) {
        v1::ModelOffer& message = *list.Add();
        message.set_affinity(offer.affinity);
        message.set_loaded(offer.loaded);
    }
}

std::vector<ModelOffer> get_offers(const google::protobuf::RepeatedPtrField<v1::ModelOffer>& list) {
    std::vector<ModelOffer> offers;
    offers.reserve(static_cast<std::size_t>(list.size()));
    for (const v1::ModelOffer& message : list) {
        offers.push_back({message.affinity(), message.loaded()});
    }
    return offers;
}

Status put(const WorkerHello& hello, v1::WorkerFrame& frame) {
    v1::WorkerHello& message = *frame.mutable_hello();
    message.set_version(hello.version);
    message.set_worker(hello.worker.value);
    message.set_node(hello.node);
    message.set_program(hello.program);
    message.set_fingerprint(hello.fingerprint);
    message.set_slots(hello.slots);
    set_offers(hello.models, *message.mutable_models());
    for (const HeldTask& held : hello.holds) {
        set_claim(held, *message.add_holds());
    }
    message.set_predecessor(hello.predecessor.value);
    message.set_predecessor_crash(hello.predecessor_crash);
    message.set_metrics_address(hello.metrics_address);
    return {};
}

Result<WorkerHello> get(const v1::WorkerHello& message) {
    WorkerHello hello;
    hello.version = message.version();
    hello.worker = {message.worker()};
    hello.node = message.node();
    hello.program = message.program();
    hello.fingerprint = message.fingerprint();
    hello.slots = message.slots();
    hello.models = get_offers(message.models());
    for (const v1::Claim& claim : message.holds()) {
        get_claim(claim, hello.holds.emplace_back());
    }
    hello.predecessor = {message.predecessor()};
    hello.predecessor_crash = message.predecessor_crash();
    hello.metrics_address = message.metrics_address();
    return hello;
}

Status put(const WorkerReady& ready, v1::WorkerFrame& frame) {
    frame.mutable_ready()->set_slots(ready.slots);
    return {};
}

Result<WorkerReady> get(const v1::WorkerReady& message) {
    return WorkerReady{message.slots()};
}

Status put(const Heartbeat& heartbeat, v1::WorkerFrame& frame) {
    v1::Heartbeat& message = *frame.mutable_heartbeat();
    message.set_number(heartbeat.number);
    for (const TaskBeat& beat : heartbeat.tasks) {
        v1::TaskBeat& line = *message.add_tasks();
        set_claim(beat, *line.mutable_claim());
        to_proto(beat.progress, *line.mutable_progress());
        line.set_preview(beat.preview);
    }
    message.set_memory_bytes(heartbeat.memory_bytes);
    set_offers(heartbeat.models, *message.mutable_models());
    return {};
}

Result<Heartbeat> get(const v1::Heartbeat& message) {
    Heartbeat heartbeat;
    heartbeat.number = message.number();
    for (const v1::TaskBeat& line : message.tasks()) {
        TaskBeat& beat = heartbeat.tasks.emplace_back();
        get_claim(line.claim(), beat);
        beat.progress = {line.progress().step(), line.progress().steps(), line.progress().stage()};
        beat.preview = line.preview();
    }
    heartbeat.memory_bytes = message.memory_bytes();
    heartbeat.models = get_offers(message.models());
    return heartbeat;
}

Status put(const TaskCheckpointed& checkpointed, v1::WorkerFrame& frame) {
    v1::TaskCheckpointed& message = *frame.mutable_checkpointed();
    set_claim(checkpointed, *message.mutable_claim());
    to_proto(checkpointed.checkpoint, *message.mutable_checkpoint());
    return {};
}

Result<TaskCheckpointed> get(const v1::TaskCheckpointed& message) {
    TaskCheckpointed checkpointed;
    get_claim(message.claim(), checkpointed);
    TESSERA_TRY(get_part("checkpoint", message.checkpoint(), checkpointed.checkpoint));
    return checkpointed;
}

Status put(const TaskCompleted& completed, v1::WorkerFrame& frame) {
    v1::TaskCompleted& message = *frame.mutable_completed();
    set_claim(completed, *message.mutable_claim());
    to_proto(completed.result, *message.mutable_result());
    return {};
}

Result<TaskCompleted> get(const v1::TaskCompleted& message) {
    TaskCompleted completed;
    get_claim(message.claim(), completed);
    TESSERA_TRY(get_part("result", message.result(), completed.result));
    return completed;
}

Status put(const TaskFailed& failed, v1::WorkerFrame& frame) {
    v1::TaskFailed& message = *frame.mutable_failed();
    set_claim(failed, *message.mutable_claim());
    to_proto(failed.failure, *message.mutable_failure());
    return {};
}

Result<TaskFailed> get(const v1::TaskFailed& message) {
    TaskFailed failed;
    get_claim(message.claim(), failed);
    TESSERA_TRY(get_part("failure", message.failure(), failed.failure));
    return failed;
}

Status put(const MetricReport& report, v1::WorkerFrame& frame) {
    v1::MetricReport& message = *frame.mutable_metrics();
    for (const MetricChange& change : report.changes) {
        v1::MetricChange& line = *message.add_changes();
        line.set_name(change.name);
        line.mutable_labels()->Assign(change.labels.begin(), change.labels.end());
        line.set_sum(change.sum);
        line.mutable_buckets()->Assign(change.buckets.begin(), change.buckets.end());
    }
    return {};
}

Result<MetricReport> get(const v1::MetricReport& message) {
    const auto count = static_cast<std::size_t>(message.changes_size());
    TESSERA_TRY(check_size("changes", count, kMaxMetricChanges));
    MetricReport report;
    for (const v1::MetricChange& line : message.changes()) {
        report.changes.push_back(
            {line.name(),
             {line.labels().begin(), line.labels().end()},
             line.sum(),
             {line.buckets().begin(), line.buckets().end()}}
        );
    }
    return report;
}

Status put(const LogReport& report, v1::WorkerFrame& frame) {
    v1::LogReport& message = *frame.mutable_log();
    for (const LogRecord& record : report.records) {
        v1::LogRecord& line = *message.add_records();
        line.set_time_ms(record.time.time_since_epoch().count());
        line.set_level(std::string(to_string(record.level)));
        line.set_message(record.message);
        line.set_job(record.job);
        line.set_task(record.task);
        line.set_trace(record.trace);
    }
    return {};
}

Result<LogReport> get(const v1::LogReport& message) {
    const auto count = static_cast<std::size_t>(message.records_size());
    TESSERA_TRY(check_size("records", count, kMaxLogRecords));
    LogReport report;
    for (const v1::LogRecord& line : message.records()) {
        const auto level = parse_log_level(line.level());
        if (!level) {
            return fail(ErrorKind::kInvalidArgument, "records.level is none that is known here");
        }
        report.records.push_back(
            {WallTime(std::chrono::milliseconds(line.time_ms())),
             *level,
             line.message(),
             line.job(),
             line.task(),
             {},
             line.trace()}
        );
    }
    return report;
}

Status put(const WorkerLeaving& /*leaving*/, v1::WorkerFrame& frame) {
    frame.mutable_leaving();
    return {};
}

Result<WorkerLeaving> get(const v1::WorkerLeaving& /*message*/) {
    return WorkerLeaving{};
}

template <class Message>
Result<WorkerMessage> take(const Message& message) {
    auto value = get(message);
    if (!value) {
        return tl::unexpected(std::move(value).error());
    }
    TESSERA_TRY(check(*value));
    return *std::move(value);
}

Result<WorkerMessage> take_message(const v1::WorkerFrame& frame) {
    switch (frame.message_case()) {
        case v1::WorkerFrame::kHello:
            return take(frame.hello());
        case v1::WorkerFrame::kReady:
            return take(frame.ready());
        case v1::WorkerFrame::kHeartbeat:
            return take(frame.heartbeat());
        case v1::WorkerFrame::kCheckpointed:
            return take(frame.checkpointed());
        case v1::WorkerFrame::kCompleted:
            return take(frame.completed());
        case v1::WorkerFrame::kFailed:
            return take(frame.failed());
        case v1::WorkerFrame::kMetrics:
            return take(frame.metrics());
        case v1::WorkerFrame::kLog:
            return take(frame.log());
        case v1::WorkerFrame::kLeaving:
            return take(frame.leaving());
        case v1::WorkerFrame::MESSAGE_NOT_SET:
            break;
    }
    return fail(ErrorKind::kCorrupt, "message is none that is known here");
}

}  // namespace

Result<std::string> encode(const WorkerMessage& message) {
    return encode_in<v1::WorkerFrame>(
        message,
        [](const auto& value, v1::WorkerFrame& frame) -> Status {
            TESSERA_TRY(put(value, frame));
            return check(value);
        }
    );
}

Result<WorkerMessage> decode_worker_message(std::string_view bytes) {
    return decode_from<v1::WorkerFrame>(bytes, take_message);
}

}  // namespace tessera
