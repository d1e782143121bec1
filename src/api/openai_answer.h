#pragma once

#include "api/api.h"
#include "api/api_fault.h"
#include "api/job_following.h"
#include "api/openai_request.h"
#include "storage/object_token.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tessera::api {

/// {"error":{"message","type","param","code"}}. Retry-After is at most the 120 s that OpenAI's own
/// clients wait for.
[[nodiscard]] http::Response openai_error(const ApiFault& fault);
/// The same for what the server itself refuses (wrong key, unknown path, too large a body).
[[nodiscard]] http::Response openai_error(int status, const std::string& message);
/// The error object of it alone, {"message",…}, as it stands in a stream.
[[nodiscard]] std::string openai_error_object(const ApiFault& fault);

/// What every answer to a job says in its head: X-Tessera-Job, and X-Tessera-Remarks where
/// something was done otherwise than asked.
void set_job_fields(
    const Submitted& submitted, const std::vector<std::string>& remarks, http::Response& response
);

/// What a link's token says in place of a task.
inline constexpr std::string_view kLinkTask = "link";
/// For how long a link to a picture is good.
inline constexpr Duration kPictureLinkLife = std::chrono::hours(1);

/// Sign links with the same secret as the workers' tokens. kInternal when there is none.
[[nodiscard]] Result<ObjectTokens> link_tokens(const ApiSettings& settings);

/// Where a browser without a key gets a picture: on this server, under /v1/images/files/.
[[nodiscard]] Result<std::string> picture_link(
    const ApiParts& parts, const http::Request& request, const TaskResult& picture
);

/// The answer to a call whose job is done.
[[nodiscard]] http::Response openai_pictures(
    const ApiParts& parts,
    const http::Request& request,
    const OpenAiRequest& asked,
    const FollowedJob& job
);

/// "image_generation" or "image_edit": what the events of a stream begin with.
struct OpenAiEventPlace {
    std::string_view family;
    int unit = 0;
};

/// A picture in the making as a server-sent event.
[[nodiscard]] std::string openai_partial_event(
    const OpenAiEventPlace& place,
    const OpenAiRequest& asked,
    const Submitted& submitted,
    ByteView picture,
    int index,
    WallTime now
);
/// A finished one.
[[nodiscard]] std::string openai_completed_event(
    const OpenAiEventPlace& place,
    const OpenAiRequest& asked,
    const Submitted& submitted,
    const TaskResult& result,
    ByteView picture,
    WallTime now
);

}  // namespace tessera::api
