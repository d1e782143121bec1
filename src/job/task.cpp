#include "job/task.h"

#include "base/number.h"
#include "job/shape.h"

namespace tessera {

std::string to_string(const TaskId& id) {
    return fmt::format("{}.{}", id.job.value, id.index);
}

Result<TaskId> parse_task_id(std::string_view text) {
    const std::size_t dot = text.rfind('.');
    if (dot != std::string_view::npos) {
        const auto digits = text.substr(dot + 1);
        const auto index = read_number<int>(digits);
        const bool canonical = digits.size() == 1 || !digits.starts_with('0');
        if (index && canonical) {
            TaskId id{JobId{std::string(text.substr(0, dot))}, *index};
            if (check_shape(id)) {
                return id;
            }
        }
    }
    return fail(
        ErrorKind::kInvalidArgument, "this is no task's id, which is a job's id, a dot and a number"
    );
}

std::string_view to_string(TaskKind kind) {
    switch (kind) {
        case TaskKind::kRender:
            return "render";
        case TaskKind::kUpscale:
            return "upscale";
        case TaskKind::kMerge:
            break;
    }
    return "merge";
}

std::string_view to_string(FaultKind fault) {
    return fault == FaultKind::kTask ? "task" : "infrastructure";
}

}  // namespace tessera
