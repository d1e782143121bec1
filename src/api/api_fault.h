#pragma once

#include "api/answers.h"
#include "api/submission.h"
#include "base/clock.h"
#include "base/result.h"

#include <optional>
#include <span>
#include <string>
#include <utility>

namespace tessera::api {

/// Why an API that imitates another server's (OpenAI's, A1111's) refuses a request.
struct ApiFault {
    // NOLINTBEGIN(google-explicit-constructor): what rooms below say becomes a fault on its way up
    ApiFault(Error from) : error(std::move(from)) {}
    ApiFault(FieldError from) : error(std::move(from.error)), field(std::move(from.field)) {}
    // NOLINTEND(google-explicit-constructor)
    ApiFault(std::string named, Error from) : error(std::move(from)), field(std::move(named)) {}

    Error error;
    std::string field;  ///< in the API's own words; empty: none in particular
    std::optional<Duration> retry_after{};
};

template <class T>
using Checked = tl::expected<T, ApiFault>;

/// `return refuse("n", ErrorKind::kInvalidArgument, "n must be 1 to 10, not {}", n);`
template <class... Args>
[[nodiscard]] tl::unexpected<ApiFault> refuse(
    std::string field, ErrorKind kind, fmt::format_string<Args...> format, Args&&... args
) {
    return tl::unexpected(
        ApiFault(std::move(field), Error{kind, fmt::format(format, std::forward<Args>(args)...)})
    );
}

/// A refusal in the API's own words. What was not found (a model, a sampler, …) is the field's that
/// names such things.
[[nodiscard]] ApiFault fault_of(Refusal refusal, std::span<const FieldName> names);

}  // namespace tessera::api
