#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "job/task.h"
#include "link/messages.h"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace tessera {

/// What a task is worked on with. All of it may be called from the task's thread alone.
class TaskContext {
  public:
    virtual ~TaskContext() = default;
    /// An input or a checkpoint, with its hash checked.
    [[nodiscard]] virtual Result<Bytes> fetch(const ObjectRef& object) = 0;
    [[nodiscard]] virtual Result<ObjectRef> store(
        ByteView bytes, const std::string& media_type
    ) = 0;
    /// Cheap; the heartbeat carries the latest.
    virtual void progress(const TaskProgress& progress) = 0;
    /// The longest that may pass until the next progress, in seconds, as far as is known: what the
    /// watch over stuck renders goes by.
    virtual void expect_step(double seconds) = 0;
    /// A small JPEG; see TaskBeat.
    virtual void preview(std::string jpeg) = 0;
    /// Whether somebody looks at previews of this task.
    [[nodiscard]] virtual bool wants_preview() const = 0;
    /// Whether it is time for a checkpoint, and keeping it. A checkpoint that could not be kept is
    /// no failure of the task.
    [[nodiscard]] virtual bool wants_checkpoint() const = 0;
    virtual void checkpoint(ByteView state, int step, const std::string& fingerprint) = 0;
    /// For the task's own log.
    virtual void log(const std::string& line) = 0;
};

/// Does tasks. The product's renders (apps/tessera); tests and benchmarks have doubles.
/// Thread-safe for as many tasks at once as the worker has slots.
class TaskRunner {
  public:
    virtual ~TaskRunner() = default;
    /// kCancelled soon after `stop` is requested. Failures of kind kInvalidArgument, kCorrupt,
    /// kUnsupported are the task's own and final; kUnavailable and kExhausted are infrastructure's;
    /// others the task's own, to be tried again: another worker may have what is kNotFound here.
    [[nodiscard]] virtual Result<TaskResult> run(
        const AssignTask& task, TaskContext& context, const std::stop_token& stop
    ) = 0;
    /// What it can render with, and what of it is in memory. May wait for a disk.
    [[nodiscard]] virtual std::vector<ModelOffer> models() const = 0;
    [[nodiscard]] virtual std::string fingerprint() const = 0;
};

}  // namespace tessera
