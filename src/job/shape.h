#pragma once

#include "base/result.h"
#include "job/job_spec.h"
#include "job/task.h"

#include <cstddef>

/// The outer limits of the job's vocabulary: what may be stored and sent at all, whoever asks. They
/// keep hostile messages small and are part of the contract in proto/tessera/v1/; what a tenant may
/// ask for is limits.h's matter.
namespace tessera {

inline constexpr std::size_t kMaxPromptBytes = 8U << 10U;  ///< of either prompt
inline constexpr std::size_t kMaxNameBytes = 256;          ///< names and other short texts
inline constexpr std::size_t kMaxAffinityBytes = 1U << 10U;
inline constexpr std::size_t kMaxRemarkBytes = 1U << 10U;
inline constexpr std::size_t kMaxWebhookBytes = 2U << 10U;
inline constexpr std::size_t kMaxMessageBytes = 4U << 10U;
inline constexpr std::size_t kMaxLogBytes = 32U << 10U;
inline constexpr std::size_t kMaxRecipeBytes = 64U << 10U;

inline constexpr int kMaxCount = 10'000;  ///< pictures of a job
inline constexpr int kMaxSide = 1 << 20;  ///< of a picture, in pixels
inline constexpr int kMaxSteps = 1 << 20;
inline constexpr std::size_t kMaxStyles = 32;
inline constexpr std::size_t kMaxUnits = 32'768;
inline constexpr std::size_t kMaxTasks = 32'768;
inline constexpr std::size_t kMaxNeeds = 1'024;
inline constexpr std::size_t kMaxRemarks = 64;
inline constexpr std::size_t kMaxStageTimes = 32;

/// Whether the value could be decoded again: texts are UTF-8 and within their limits, numbers are
/// finite and possible, hashes are hashes, indices point at something. kInvalidArgument that begins
/// with the field's name: "render.prompt has 9000 bytes, 8192 are allowed".
[[nodiscard]] Status check_shape(const JobSpec& spec);
[[nodiscard]] Status check_shape(const UnitPlan& unit);
[[nodiscard]] Status check_shape(const TaskPlan& task);
/// Also that each task needs only earlier ones and that all indices are within the plan.
[[nodiscard]] Status check_shape(const JobPlan& plan);
[[nodiscard]] Status check_shape(const ObjectRef& object);
[[nodiscard]] Status check_shape(const TaskResult& result);
[[nodiscard]] Status check_shape(const TaskCheckpoint& checkpoint);
[[nodiscard]] Status check_shape(const TaskProgress& progress);
[[nodiscard]] Status check_shape(const TaskFailure& failure);
/// 1 to 64 letters, digits, '-' and '_', and an index that a task can have.
[[nodiscard]] Status check_shape(const TaskId& id);

}  // namespace tessera
