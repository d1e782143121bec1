#pragma once

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "job/task.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What server and worker say to each other: tessera.v1.WorkerFrame and ServerFrame
/// (proto/tessera/v1/farm.proto), one frame for each WebSocket message.
namespace tessera {

/// Frames above this are refused; bytes of pictures travel as objects.
inline constexpr std::size_t kMaxFrameBytes = 256U << 10U;
/// Of the link's messages; peers of another major version are refused.
inline constexpr std::uint32_t kLinkVersion = 1;

// What a frame may hold, beyond the limits of job/shape.h.
inline constexpr int kMaxSlots = 1024;  ///< of a worker; also the tasks that it can hold
inline constexpr std::size_t kMaxModelOffers = 256;
inline constexpr std::size_t kMaxPreviewBytes = 32U << 10U;
inline constexpr std::size_t kMaxTokenBytes = 24U << 10U;
inline constexpr std::size_t kMaxMetricChanges = 64;
inline constexpr std::size_t kMaxLogRecords = 64;
inline constexpr std::size_t kMaxLogMessage = 2048;

/// A model that the worker can render with.
struct ModelOffer {
    std::string affinity;  ///< see JobPlan
    bool loaded = false;

    bool operator==(const ModelOffer&) const = default;
};

struct HeldTask {
    TaskId task;
    Epoch epoch;

    bool operator==(const HeldTask&) const = default;
};

/// The first frame.
struct WorkerHello {
    std::uint32_t version = kLinkVersion;
    WorkerId worker;  ///< of one process, drawn anew at its start
    std::string node;
    std::string program;      ///< name and version
    std::string fingerprint;  ///< hash of the engine's
    int slots = 1;
    std::vector<ModelOffer> models;
    /// What it still works on from an earlier connection.
    std::vector<HeldTask> holds;
    /// The process that this one replaces, and, where that one crashed, by what ("signal 11
    /// (Segmentation fault)"): what it held then failed by its own fault.
    WorkerId predecessor;
    std::string predecessor_crash;
    /// "host:port" where Prometheus finds the process itself; empty: nowhere.
    std::string metrics_address;

    bool operator==(const WorkerHello&) const = default;
};

/// So many more tasks may be sent: credit.
struct WorkerReady {
    int slots = 0;

    bool operator==(const WorkerReady&) const = default;
};

/// One line of a heartbeat.
struct TaskBeat {
    TaskId task;
    Epoch epoch;
    TaskProgress progress;
    /// A small JPEG of at most kMaxPreviewBytes; empty: no news. Leave it out where several would
    /// make the frame too large.
    std::string preview;

    bool operator==(const TaskBeat&) const = default;
};

struct Heartbeat {
    std::uint64_t number = 0;
    std::vector<TaskBeat> tasks;
    std::uint64_t memory_bytes = 0;
    std::vector<ModelOffer> models;

    bool operator==(const Heartbeat&) const = default;
};

struct TaskCheckpointed {
    TaskId task;
    Epoch epoch;
    TaskCheckpoint checkpoint;

    bool operator==(const TaskCheckpointed&) const = default;
};

struct TaskCompleted {
    TaskId task;
    Epoch epoch;
    TaskResult result;

    bool operator==(const TaskCompleted&) const = default;
};

struct TaskFailed {
    TaskId task;
    Epoch epoch;
    TaskFailure failure;

    bool operator==(const TaskFailed&) const = default;
};

/// What the process has measured since it last told. What is lost with a link is not told again.
struct MetricReport {
    std::vector<MetricChange> changes;  ///< at most kMaxMetricChanges

    bool operator==(const MetricReport&) const = default;
};

/// What the process has to log. What is lost with a link is not told again.
struct LogReport {
    /// At most kMaxLogRecords, of the worker's own and of its tasks. The field `worker` does not
    /// travel: the link tells.
    std::vector<LogRecord> records;

    bool operator==(const LogReport&) const = default;
};

/// No more tasks, please; the worker leaves when it holds none.
struct WorkerLeaving {
    bool operator==(const WorkerLeaving&) const = default;
};

using WorkerMessage = std::variant<
    WorkerHello,
    WorkerReady,
    Heartbeat,
    TaskCheckpointed,
    TaskCompleted,
    TaskFailed,
    MetricReport,
    LogReport,
    WorkerLeaving>;

/// The answer to a hello.
struct ServerHello {
    std::uint32_t version = kLinkVersion;
    std::uint32_t incarnation = 0;
    double heartbeat_seconds = 0.0;
    double lease_seconds = 0.0;
    /// What it may go on with; the rest of `holds` is to be dropped.
    std::vector<HeldTask> kept;

    bool operator==(const ServerHello&) const = default;
};

struct AssignTask {
    TaskId task;
    Epoch epoch;
    int attempt = 1;
    TaskPlan plan;
    UnitPlan unit;
    std::string spec;  ///< tessera.v1.JobSpec
    std::string recipe;
    std::string affinity;
    /// Of plan.needs, in order. Leave out the recipes of tiles, or many do not fit into a frame.
    std::vector<TaskResult> inputs;
    /// The unit of each input: where a tile belongs.
    std::vector<UnitPlan> input_units;
    std::optional<TaskCheckpoint> checkpoint;
    /// Opens the objects that this task reads and lets it write some, for as long as it holds the
    /// task.
    std::string object_token;
    std::string traceparent;

    bool operator==(const AssignTask&) const = default;
};

/// What a worker is to do with a task that it reported on.
enum class TaskOrder : std::uint8_t { kGoOn, kCancel, kDrop };

struct HeartbeatAnswer {
    std::uint64_t number = 0;
    struct Line {
        TaskId task;
        Epoch epoch;
        TaskOrder order = TaskOrder::kGoOn;

        bool operator==(const Line&) const = default;
    };
    std::vector<Line> tasks;  ///< only those that are not to go on

    bool operator==(const HeartbeatAnswer&) const = default;
};

/// A task was cancelled: at once, without waiting for the next heartbeat.
struct CancelTask {
    TaskId task;
    Epoch epoch;

    bool operator==(const CancelTask&) const = default;
};

/// Answer to TaskCompleted and TaskFailed: it is durable, or stale and to be dropped.
struct TaskSettled {
    TaskId task;
    Epoch epoch;
    bool accepted = false;
    std::string reason;  ///< when not accepted

    bool operator==(const TaskSettled&) const = default;
};

/// An administrator wants the worker to finish what it holds and to leave.
struct DrainOrder {
    std::string reason;

    bool operator==(const DrainOrder&) const = default;
};

/// The link ends; `retry` says whether coming back makes sense.
struct Goodbye {
    std::string reason;
    bool retry = true;

    bool operator==(const Goodbye&) const = default;
};

using ServerMessage = std::
    variant<ServerHello, AssignTask, HeartbeatAnswer, CancelTask, TaskSettled, DrainOrder, Goodbye>;

/// One frame. kExhausted when it would be larger than kMaxFrameBytes; kInvalidArgument, naming the
/// field, for what could not be decoded again. A TaskFailure is made to fit (job/codec.h).
[[nodiscard]] Result<std::string> encode(const WorkerMessage& message);
[[nodiscard]] Result<std::string> encode(const ServerMessage& message);

/// kCorrupt, naming the field, for anything that is no frame or says the impossible (negative
/// slots, endless lists, a hash that is none, text that is not UTF-8).
[[nodiscard]] Result<WorkerMessage> decode_worker_message(std::string_view frame);
[[nodiscard]] Result<ServerMessage> decode_server_message(std::string_view frame);

}  // namespace tessera
