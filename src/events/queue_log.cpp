#include "events/queue_log.h"

#include "telemetry/trace_context.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace tessera {
namespace {

std::string reason_of(const QueueEvent& event) {
    return event.failure ? event.failure->message : "no reason is known";
}

}  // namespace

std::vector<std::string> private_words(const JobSpec& spec) {
    return {spec.render.prompt, spec.render.negative_prompt};
}

void QueueLog::hear(const QueueEvent& event) const {
    using Kind = QueueEvent::Kind;
    switch (event.kind) {
        case Kind::kJobQueued:
            write(LogLevel::kInfo, event, fmt::format("accepted from tenant {}", event.tenant));
            break;
        case Kind::kTaskClaimed:
            write(LogLevel::kDebug, event, "given to a worker");
            break;
        case Kind::kTaskReturned:
            write(LogLevel::kWarning, event, "will be tried again: " + reason_of(event));
            break;
        case Kind::kTaskDone:
            write(LogLevel::kDebug, event, "done");
            break;
        case Kind::kTaskDead:
            write(LogLevel::kError, event, "given up: " + reason_of(event));
            break;
        case Kind::kJobEnded:
            write(
                event.job_state == JobState::kFailed ? LogLevel::kError : LogLevel::kInfo,
                event,
                fmt::format("ended: {}", to_string(event.job_state))
            );
            break;
        case Kind::kJobDeleted:
            write(LogLevel::kInfo, event, "deleted");
            break;
        case Kind::kTaskReady:
        case Kind::kTaskProgress:
        case Kind::kTaskCancelled:
        case Kind::kJobRunning:
            break;
    }
}

void QueueLog::write(LogLevel level, const QueueEvent& event, std::string message) const {
    LogRecord record;
    record.level = level;
    record.message = std::move(message);
    record.job = event.job.value;
    record.task = event.task.job.value.empty() ? "" : to_string(event.task);
    record.worker = event.worker.value;
    // Reading a job costs: what is rare is told whole.
    if (level >= LogLevel::kWarning) {
        if (const auto job = jobs_(event.job)) {
            const JobSpec& spec = job->plan->spec;
            record.trace = to_string(job_context(event.job, spec.traceparent).trace);
            if (!prompts_) {
                record.message = without_words(std::move(record.message), private_words(spec));
            }
        }
    }
    log_.write(std::move(record));
}

}  // namespace tessera
