#pragma once

#include "api/api.h"
#include "events/farm_event.h"
#include "http/message.h"
#include "job/job_spec.h"
#include "queue/task_queue.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace tessera::api {

using OrderedJson = nlohmann::ordered_json;

/// What will be made, in the words of a submission; what is at its default is left out.
[[nodiscard]] OrderedJson spec_json(const JobSpec& spec);

/// A job without its units, for lists.
[[nodiscard]] OrderedJson job_summary_json(const JobView& job);

/// A job with each of its units.
[[nodiscard]] OrderedJson job_json(
    const JobView& job, const std::optional<Outlook>& outlook, Instant now
);

[[nodiscard]] OrderedJson event_json(const FarmEvent& event);

/// As JSON text; bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string json_text(const OrderedJson& json);

/// As application/msgpack where the Accept field prefers it, else as JSON.
[[nodiscard]] http::Response json_answer(
    const http::Request& request, int status, const OrderedJson& json
);

/// /api/v1/jobs/<id>
[[nodiscard]] std::string job_path(const JobId& id);

}  // namespace tessera::api
