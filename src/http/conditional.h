#pragma once

#include "http/message.h"

#include <cstdint>
#include <string_view>

namespace tessera::http {

/// What of a stored thing a request gets.
struct Selection {
    /// 200 whole, 206 the range, 304 the client has it, 412 it wanted another, 416 beyond its end.
    int status = 200;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;  ///< 0 for 304, 412 and 416
};

/// Looks at If-Match, If-None-Match, If-Range and Range (one range; several count as none).
/// `etag` with its quotes; `total` is the size in bytes.
[[nodiscard]] Selection select_content(
    const Request& request, std::string_view etag, std::uint64_t total
);

/// Sets status, ETag, Accept-Ranges and Content-Range. The body is the caller's.
void describe_selection(
    const Selection& selection, std::string_view etag, std::uint64_t total, Response& response
);

}  // namespace tessera::http
