#pragma once

#include "api/answers.h"
#include "api/json_body.h"
#include "job/job_spec.h"

#include <optional>
#include <span>
#include <string_view>

namespace tessera::api {

/// A submission to the native API, read strictly: fields that there are not are refused with near
/// names. `init` and `mask` hold what the request refers to, as ObjectDesk::find takes it; the
/// tenant is left empty.
[[nodiscard]] tl::expected<JobSpec, FieldError> parse_native_job(
    BodyFormat format, std::string_view body
);

/// The native API calls fields as JobSpec does, but for some.
[[nodiscard]] std::span<const FieldName> native_names();

/// "2026-11-23T17:20:03Z", with fractions of a second or an offset ("+08:00") if need be (RFC
/// 3339); from 1970 to 9999.
[[nodiscard]] std::optional<WallTime> parse_time(std::string_view text);

}  // namespace tessera::api
