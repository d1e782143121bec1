#pragma once

#include "base/clock.h"
#include "worker/farm_transport.h"
#include "worker/task_runner.h"

#include <functional>
#include <mutex>
#include <stop_token>
#include <string>

namespace tessera {

/// How often a render's state is kept.
struct CheckpointPolicy {
    /// Never more often than this; 0 with share 0: at every step.
    Duration shortest = std::chrono::seconds(2);
    double share = 0.1;  ///< of the render's expected time
};

/// What a task's facts are told to.
struct SlotEvents {
    std::function<void(TaskProgress)> on_progress;
    std::function<void(std::string jpeg)> on_preview;
    std::function<void(TaskCheckpoint)> on_checkpoint;
    std::function<void(const AssignTask& task, const std::string& line)> on_log;
};

/// One task under work: its context, its log, and since when nothing moved.
class TaskSlot final : public TaskContext {
  public:
    TaskSlot(
        AssignTask task,
        TaskObjects& objects,
        const Clock& clock,
        CheckpointPolicy policy,
        SlotEvents events
    );

    /// Runs it on this thread, to its result or to how it failed. kCancelled after stop().
    [[nodiscard]] tl::expected<TaskResult, TaskFailure> run(TaskRunner& runner);
    void stop() { stop_.request_stop(); }
    [[nodiscard]] bool stopping() const { return stop_.stop_requested(); }

    [[nodiscard]] const AssignTask& task() const { return task_; }
    /// How long nothing has moved, beyond what was to be expected; 0 while all is well, and while
    /// bytes are on their way, which ends by itself (TaskObjects). Any thread.
    [[nodiscard]] Duration stuck_for(Instant now, Duration patience) const;
    /// The last lines. Any thread.
    [[nodiscard]] std::string log_text() const;

    [[nodiscard]] Result<Bytes> fetch(const ObjectRef& object) override;
    [[nodiscard]] Result<ObjectRef> store(ByteView bytes, const std::string& media_type) override;
    void progress(const TaskProgress& progress) override;
    void expect_step(double seconds) override;
    void preview(std::string jpeg) override;
    [[nodiscard]] bool wants_preview() const override;
    [[nodiscard]] bool wants_checkpoint() const override;
    void checkpoint(ByteView state, int step, const std::string& fingerprint) override;
    void log(const std::string& line) override;

  private:
    void moves_bytes(bool moving);

    const AssignTask task_;
    TaskObjects& objects_;
    const Clock& clock_;
    const CheckpointPolicy policy_;
    const SlotEvents events_;
    std::stop_source stop_;

    // The task's thread alone:
    Instant first_step_;
    int first_step_number_ = 0;
    Instant last_checkpoint_;
    Instant last_preview_;

    mutable std::mutex mutex_;  // guards what follows
    Instant last_move_;
    bool moving_bytes_ = false;
    Duration expected_step_{};
    TaskProgress progress_;
    std::string log_;
};

}  // namespace tessera
