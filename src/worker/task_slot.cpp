#include "worker/task_slot.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace tessera {
namespace {

constexpr std::size_t kMaxLogBytes = 16U << 10U;
constexpr Duration kPreviewPause = std::chrono::milliseconds(400);
/// Without progress for so many times a step's expected time, a render counts as stuck.
constexpr int kStuckSteps = 10;

TaskFailure failure_of(const Error& error) {
    TaskFailure failure;
    failure.message = error.message;
    switch (error.kind) {
        case ErrorKind::kInvalidArgument:
        case ErrorKind::kCorrupt:
        case ErrorKind::kUnsupported:
            failure.retryable = false;
            break;
        case ErrorKind::kUnavailable:
        case ErrorKind::kExhausted:
        case ErrorKind::kCancelled:
            failure.fault = FaultKind::kInfrastructure;
            break;
        default:
            break;
    }
    return failure;
}

Result<TaskResult> run_behind_wall(
    TaskRunner& runner, const AssignTask& task, TaskContext& context, const std::stop_token& stop
) {
    try {
        return runner.run(task, context, stop);
    } catch (const std::bad_alloc&) {
        return fail(ErrorKind::kExhausted, "the worker's memory ran out");
    } catch (const std::exception& error) {
        return fail(ErrorKind::kInternal, "internal error: {}", error.what());
    }
}

}  // namespace

TaskSlot::TaskSlot(
    AssignTask task,
    TaskObjects& objects,
    const Clock& clock,
    CheckpointPolicy policy,
    SlotEvents events
)
    : task_(std::move(task)),
      objects_(objects),
      clock_(clock),
      policy_(policy),
      events_(std::move(events)),
      last_checkpoint_(clock.now()),
      last_move_(clock.now()) {}

tl::expected<TaskResult, TaskFailure> TaskSlot::run(TaskRunner& runner) {
    auto result = run_behind_wall(runner, task_, *this, stop_.get_token());
    if (result) {
        return *std::move(result);
    }
    TaskFailure failure = failure_of(result.error());
    log(failure.message);
    failure.log = log_text();
    return tl::unexpected(std::move(failure));
}

Duration TaskSlot::stuck_for(Instant now, Duration patience) const {
    const std::lock_guard lock(mutex_);
    if (moving_bytes_) {
        return Duration::zero();
    }
    const Duration still = now - last_move_;
    // Until the first step is known, a model is perhaps being read from a slow disk.
    const Duration bound = expected_step_ == Duration::zero()
                               ? patience * kStuckSteps
                               : std::max(patience, expected_step_ * kStuckSteps);
    return still > bound ? still : Duration::zero();
}

std::string TaskSlot::log_text() const {
    const std::lock_guard lock(mutex_);
    return log_;
}

void TaskSlot::moves_bytes(bool moving) {
    const std::lock_guard lock(mutex_);
    moving_bytes_ = moving;
    last_move_ = clock_.now();
}

Result<Bytes> TaskSlot::fetch(const ObjectRef& object) {
    moves_bytes(true);
    auto bytes = objects_.fetch(object, task_.object_token, stop_.get_token());
    moves_bytes(false);
    return bytes;
}

Result<ObjectRef> TaskSlot::store(ByteView bytes, const std::string& media_type) {
    moves_bytes(true);
    auto object = objects_.store(bytes, media_type, task_.object_token, stop_.get_token());
    moves_bytes(false);
    return object;
}

void TaskSlot::progress(const TaskProgress& progress) {
    const Instant now = clock_.now();
    if (first_step_ == Instant{} && progress.step > 0) {
        first_step_ = now;
        first_step_number_ = progress.step;
    }
    {
        const std::lock_guard lock(mutex_);
        last_move_ = now;
        progress_ = progress;
    }
    events_.on_progress(progress);
}

void TaskSlot::expect_step(double seconds) {
    const std::lock_guard lock(mutex_);
    expected_step_ = duration_of(seconds);
    last_move_ = clock_.now();
}

void TaskSlot::preview(std::string jpeg) {
    last_preview_ = clock_.now();
    if (jpeg.size() <= kMaxPreviewBytes) {
        events_.on_preview(std::move(jpeg));
    }
}

bool TaskSlot::wants_preview() const {
    return last_preview_ == Instant{} || clock_.now() >= last_preview_ + kPreviewPause;
}

bool TaskSlot::wants_checkpoint() const {
    if (policy_.shortest == Duration::zero() && policy_.share == 0.0) {
        return true;
    }
    const Instant now = clock_.now();
    Duration pause = policy_.shortest;
    const std::lock_guard lock(mutex_);
    if (progress_.step > first_step_number_) {
        const double a_step = seconds_of(now - first_step_) / (progress_.step - first_step_number_);
        pause = std::max(pause, duration_of(a_step * progress_.steps * policy_.share));
    }
    return now >= last_checkpoint_ + pause;
}

void TaskSlot::checkpoint(ByteView state, int step, const std::string& fingerprint) {
    last_checkpoint_ = clock_.now();
    auto object = store(state, "application/octet-stream");
    if (!object) {
        log("a checkpoint could not be kept: " + object.error().message);
        return;
    }
    events_.on_checkpoint({*std::move(object), step, fingerprint});
}

void TaskSlot::log(const std::string& line) {
    events_.on_log(task_, line);
    const std::lock_guard lock(mutex_);
    log_ += iso_time(clock_.wall()) + " " + line + "\n";
    if (log_.size() > kMaxLogBytes) {
        const std::size_t from = log_.size() - kMaxLogBytes;
        const std::size_t line_end = log_.find('\n', from) + 1;
        log_.erase(0, line_end < log_.size() ? line_end : from);
    }
}

}  // namespace tessera
