#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tessera::api {

/// An error and the field of the request that it is about; empty: about none.
struct FieldError {
    Error error;
    std::string field{};
};

/// "invalid_argument": an error's kind as it stands in JSON.
[[nodiscard]] std::string code_of(ErrorKind kind);

/// The status that the API answers such an error with.
[[nodiscard]] int status_for(ErrorKind kind);

/// {"error":{"code","message","field"?}}; Retry-After where there is a moment to try again.
[[nodiscard]] http::Response error_answer(
    const FieldError& error, std::optional<Duration> retry_after = std::nullopt
);
[[nodiscard]] http::Response error_answer(const Error& error);
/// With another status than the kind's own.
[[nodiscard]] http::Response error_answer(int status, const FieldError& error);

/// For Retry-After: whole seconds, at least 1.
[[nodiscard]] std::string whole_seconds(Duration duration);

/// How one API calls a field of JobSpec (or of its render, upscale and output settings).
struct FieldName {
    std::string_view job;  ///< "cfg_rescale"
    std::string_view api;  ///< "guidance_rescale"
};

/// Errors about a job name its fields ("render.steps is …"), or options of the command line
/// ("--cfg-rescale"): puts the API's own names in their places, and says which field it is about.
/// Fields that are not listed keep their names.
[[nodiscard]] FieldError in_words_of(Error error, std::span<const FieldName> names);

}  // namespace tessera::api
