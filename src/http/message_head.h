#pragma once

#include "base/result.h"
#include "http/message.h"

#include <cstdint>
#include <optional>
#include <string>

namespace tessera::http {

/// How the end of a body is told.
enum class BodyFraming : std::uint8_t { kLength, kChunked, kUntilClose, kNone };

/// The status line and fields, up to and with the empty line. Date, Content-Length,
/// Transfer-Encoding and Connection are the server's own: the response's are left out. Line breaks
/// in a field become spaces, so that no value can begin another field.
[[nodiscard]] std::string format_response_head(
    const Response& response, BodyFraming framing, std::uint64_t length, bool keep_alive
);

/// The start line and fields of a request; Host, Content-Length and Connection are its own.
/// kInvalidArgument for a field, method or target that would break the head apart.
[[nodiscard]] Result<std::string> format_request_head(
    const Request& request, const std::string& authority, const std::string& target
);

/// A field's name and value can stand in a head as they are.
[[nodiscard]] bool is_sound_field(std::string_view name, std::string_view value);

}  // namespace tessera::http
