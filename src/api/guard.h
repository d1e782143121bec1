#pragma once

#include "api/api.h"
#include "api/rate_limit.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace tessera::api {

/// The tenant of whoever needs no key.
inline constexpr std::string_view kOpenTenant = "local";

/// What stands before every route: which hosts and origins may ask at all, who asks, and how often.
/// Leaves the Caller for caller_of. Thread-safe.
class ApiGuard {
  public:
    /// `public_paths` are answered without a key, as are those under /v1/images/files/ (also
    /// without /v1) and /internal/objects/, whose handlers look at signed tokens.
    ApiGuard(const ApiParts& parts, std::set<std::string, std::less<>> public_paths);

    /// An answer refuses the request, or is that of a preflight.
    [[nodiscard]] std::optional<http::Response> check(http::Request& request);

    /// The fields that every answer carries: against sniffing, framing, foreign scripts, caching of
    /// private things, and for pages of the origins that may read it.
    void dress(const http::Request& request, http::Response& response) const;

  private:
    struct Refused {
        int status;
        Error error;
        std::optional<Duration> retry_after{};
    };
    template <class T>
    using Allowed = tl::expected<T, Refused>;

    [[nodiscard]] Allowed<void> check_host(const http::Request& request) const;
    [[nodiscard]] Allowed<void> check_origin(const http::Request& request) const;
    [[nodiscard]] bool is_listed_origin(std::string_view origin) const;
    [[nodiscard]] bool is_public(const http::Request& request) const;
    [[nodiscard]] Allowed<Caller> identify(const http::Request& request);
    [[nodiscard]] Allowed<void> check_rate(const std::string& who);
    [[nodiscard]] Allowed<Caller> admit(const http::Request& request);

    const ApiParts parts_;
    const std::set<std::string, std::less<>> public_paths_;
    const Counter wrong_keys_;
    const Counter slowed_down_;
    RateLimit rate_;
    FailedAttempts attempts_;
};

/// The key that a request shows: Authorization (Bearer, or Basic with the key as user or password)
/// or x-api-key. Empty: none.
[[nodiscard]] std::string key_of(const http::Request& request);

/// As caller_of(Exchange).
[[nodiscard]] const Caller& caller_of(const http::Request& request);

}  // namespace tessera::api
