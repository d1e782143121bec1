#include "job/job_spec.h"

#include "base/hash.h"

namespace tessera {

std::string body_hash(const JobSpec& spec) {
    JobSpec body = spec;
    body.idempotency_key.clear();
    body.traceparent.clear();
    return sha256_hex(as_bytes(encode(body)));
}

std::string_view to_string(JobKind kind) {
    return kind == JobKind::kRender ? "render" : "upscale";
}

std::string_view to_string(Priority priority) {
    switch (priority) {
        case Priority::kBatch:
            return "batch";
        case Priority::kNormal:
            return "normal";
        case Priority::kInteractive:
            break;
    }
    return "interactive";
}

Result<JobKind> find_job_kind(std::string_view name) {
    for (const JobKind kind : {JobKind::kRender, JobKind::kUpscale}) {
        if (name == to_string(kind)) {
            return kind;
        }
    }
    return fail(
        ErrorKind::kInvalidArgument,
        "there is no job kind \"{}\"; there are render and upscale",
        name
    );
}

Result<Priority> find_priority(std::string_view name) {
    for (const Priority priority : {Priority::kBatch, Priority::kNormal, Priority::kInteractive}) {
        if (name == to_string(priority)) {
            return priority;
        }
    }
    return fail(
        ErrorKind::kInvalidArgument,
        "there is no priority \"{}\"; there are batch, normal and interactive",
        name
    );
}

}  // namespace tessera
