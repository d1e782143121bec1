#pragma once

#include "base/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::http {

/// One part of a form. The file name is what the sender says: a label, never a path.
struct FormPart {
    std::string name;
    std::optional<std::string> filename;
    std::string content_type;  ///< as sent; "text/plain" when there is none
    std::string_view data;     ///< lies in the body that was parsed
};

struct MultipartLimits {
    std::size_t parts = 64;
    std::size_t header_bytes = 8U << 10U;  ///< of each part
};

/// Whether a Content-Type is multipart/form-data at all.
[[nodiscard]] bool is_multipart(std::string_view content_type);

/// Takes a whole multipart/form-data body (RFC 7578) apart, in one pass and without copying data.
/// kInvalidArgument says what is wrong with it; kExhausted names the limit.
[[nodiscard]] Result<std::vector<FormPart>> parse_multipart(
    std::string_view content_type, std::string_view body, const MultipartLimits& limits = {}
);

}  // namespace tessera::http
