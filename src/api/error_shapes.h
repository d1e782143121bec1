#pragma once

#include "api/answers.h"

#include <string_view>

namespace tessera::api {

/// An error that is found before a handler is called, in the shape that the path's clients expect:
/// OpenAI's under /v1, A1111's under /sdapi, ours elsewhere.
[[nodiscard]] http::Response error_for_path(
    std::string_view path, int status, const FieldError& error
);

}  // namespace tessera::api
