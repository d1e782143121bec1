#include "events/farm_event.h"

namespace tessera {

std::string_view to_string(FarmEvent::Kind kind) {
    switch (kind) {
        case FarmEvent::Kind::kQueued:
            return "queued";
        case FarmEvent::Kind::kStarted:
            return "started";
        case FarmEvent::Kind::kProgress:
            return "progress";
        case FarmEvent::Kind::kPreview:
            return "preview";
        case FarmEvent::Kind::kUnitDone:
            return "unit_done";
        case FarmEvent::Kind::kRetrying:
            return "retrying";
        case FarmEvent::Kind::kUnitFailed:
            return "unit_failed";
        case FarmEvent::Kind::kDone:
            return "done";
        case FarmEvent::Kind::kFailed:
            return "failed";
        case FarmEvent::Kind::kCancelled:
            return "cancelled";
        case FarmEvent::Kind::kDeleted:
            return "deleted";
        case FarmEvent::Kind::kReset:
            return "reset";
    }
    return "unknown";
}

bool ends_job(FarmEvent::Kind kind) {
    return kind == FarmEvent::Kind::kDone || kind == FarmEvent::Kind::kFailed ||
           kind == FarmEvent::Kind::kCancelled;
}

bool is_superseded_by_next(FarmEvent::Kind kind) {
    return kind == FarmEvent::Kind::kQueued || kind == FarmEvent::Kind::kProgress ||
           kind == FarmEvent::Kind::kPreview;
}

bool supersedes(const FarmEvent& later, const FarmEvent& earlier) {
    if (!is_superseded_by_next(earlier.kind) || later.job != earlier.job) {
        return false;
    }
    if (later.kind == earlier.kind) {
        return later.unit == earlier.unit;
    }
    switch (later.kind) {
        case FarmEvent::Kind::kUnitDone:
        case FarmEvent::Kind::kUnitFailed:
        case FarmEvent::Kind::kRetrying:
            return earlier.kind != FarmEvent::Kind::kQueued && later.unit == earlier.unit;
        case FarmEvent::Kind::kStarted:
            return earlier.kind == FarmEvent::Kind::kQueued;
        default:
            return ends_job(later.kind) || later.kind == FarmEvent::Kind::kDeleted;
    }
}

std::size_t footprint(const FarmEvent& event) {
    std::size_t bytes = sizeof(FarmEvent) + event.job.value.size() + event.tenant.size() +
                        event.worker.value.size() + event.progress.stage.size() +
                        event.jpeg.size() + event.message.size();
    if (event.result) {
        const TaskResult& result = *event.result;
        bytes += result.object.sha256.size() + result.object.media_type.size() +
                 result.fingerprint.size() + result.recipe.size() +
                 result.times.size() * sizeof(StageTime);
    }
    return bytes;
}

}  // namespace tessera
