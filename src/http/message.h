#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tessera::http {

/// Header fields in the order they came; names compare without regard to case.
class Fields {
  public:
    void add(std::string name, std::string value);
    /// Replaces every field of that name.
    void set(std::string_view name, std::string value);
    /// The first of that name; empty when there is none.
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const {
        return fields_;
    }

  private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// A request, read whole within the limits of its route.
struct Request {
    std::string method{};  ///< "GET"
    std::string path{};    ///< decoded, without the query: "/api/v1/jobs/01kb"
    std::string target{};  ///< as it was sent
    /// Of the query, decoded; the last of equal names counts.
    std::map<std::string, std::string> query{};
    /// What stands in the route's {name}s, decoded.
    std::map<std::string, std::string> parameters{};
    Fields fields{};
    std::string body{};
    std::string peer{};   ///< the address, without port
    bool secure = false;  ///< came by TLS
    /// What a guard left for the handlers.
    std::shared_ptr<const void> context{};
};

struct Response {
    int status = 200;
    Fields fields{};
    std::string body{};
};

[[nodiscard]] Response text_response(int status, std::string body);
/// application/json.
[[nodiscard]] Response json_response(int status, std::string json);

/// The status that fits an error's kind: 400 invalid argument, 403 denied, 404 not found, 409
/// conflict or cancelled, 422 unsupported or corrupt, 429 exhausted, 500, 503 unavailable, 504
/// deadline.
[[nodiscard]] int status_of(ErrorKind kind);

/// The words that go with a status ("Not Found"); "Unknown" for one that has none.
[[nodiscard]] std::string_view reason_of(int status);

/// Equal but for the case of ASCII letters.
[[nodiscard]] bool equal_without_case(std::string_view left, std::string_view right);

/// Whether a comma-separated field ("keep-alive, Upgrade") holds the token, in any case.
[[nodiscard]] bool has_token(std::string_view list, std::string_view token);

}  // namespace tessera::http
