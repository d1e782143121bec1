#pragma once

#include "api/a1111_request.h"
#include "api/api.h"
#include "api/api_fault.h"
#include "api/job_following.h"

#include <string>
#include <string_view>

namespace tessera::api {

/// {"error","detail","body","errors"}.
[[nodiscard]] http::Response a1111_error(const ApiFault& fault);
/// The same for what the server itself refuses (wrong key, unknown path, too large a body).
[[nodiscard]] http::Response a1111_error(int status, const std::string& message);
/// {"images","parameters","info"} of a job that has ended: all of its pictures, or those that were
/// there when it was interrupted.
[[nodiscard]] http::Response a1111_pictures(
    const ApiParts& parts, const A1111Request& asked, const FollowedJob& job
);

/// A1111's parameters text taken apart, as a JSON object: "Size: 512x768" is "Size-1" and "Size-2".
[[nodiscard]] std::string parsed_parameters(std::string_view text);

}  // namespace tessera::api
