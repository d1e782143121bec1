#include "http/multipart.h"

#include "base/utf8.h"
#include "http/media_type.h"
#include "http/message.h"

#include <algorithm>
#include <utility>

namespace tessera::http {
namespace {

constexpr std::size_t kLongestBoundary = 70;  // RFC 2046

Result<std::string> boundary_of(std::string_view content_type) {
    const auto type = parse_parameterized(content_type);
    if (!type || type->value != "multipart/form-data") {
        return fail(ErrorKind::kInvalidArgument, "the body is not multipart/form-data");
    }
    const auto boundary = type->parameter("boundary");
    if (!boundary || boundary->empty() || boundary->size() > kLongestBoundary ||
        boundary->find_first_of("\r\n") != std::string_view::npos) {
        return fail(
            ErrorKind::kInvalidArgument,
            "multipart/form-data without a boundary of 1 to {} characters",
            kLongestBoundary
        );
    }
    return std::string(*boundary);
}

Status read_disposition(std::string_view value, FormPart& part, bool& is_named) {
    const auto disposition = parse_parameterized(value);
    if (!disposition || disposition->value != "form-data") {
        return fail(
            ErrorKind::kInvalidArgument, "a part's Content-Disposition is not a form-data one"
        );
    }
    const auto name = disposition->parameter("name");
    if (!name || is_named) {
        return fail(ErrorKind::kInvalidArgument, "a part of the form without exactly one name");
    }
    part.name = *name;
    is_named = true;
    if (const auto filename = disposition->parameter("filename")) {
        part.filename = *filename;
    }
    if (!check_utf8(part.name) || (part.filename && !check_utf8(*part.filename))) {
        return fail(ErrorKind::kInvalidArgument, "the name of a part of the form is not UTF-8");
    }
    return {};
}

/// The lines between a boundary and the part's data.
Result<FormPart> read_headers(std::string_view headers) {
    FormPart part;
    part.content_type = "text/plain";
    bool is_named = false;
    while (!headers.empty()) {
        const auto end = std::min(headers.find("\r\n"), headers.size());
        const auto line = headers.substr(0, end);
        headers.remove_prefix(std::min(end + 2, headers.size()));
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) {
            return fail(ErrorKind::kInvalidArgument, "a header line without a colon in a part");
        }
        const auto name = line.substr(0, colon);
        auto value = line.substr(colon + 1);
        value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
        if (equal_without_case(name, "Content-Disposition")) {
            TESSERA_TRY(read_disposition(value, part, is_named));
        } else if (equal_without_case(name, "Content-Type")) {
            part.content_type = value;
        } else if (equal_without_case(name, "Content-Transfer-Encoding") &&
                   !equal_without_case(value, "binary") && !equal_without_case(value, "8bit") &&
                   !equal_without_case(value, "7bit")) {
            return fail(ErrorKind::kInvalidArgument, "a part's transfer encoding is not binary");
        }
    }
    if (!is_named) {
        return fail(ErrorKind::kInvalidArgument, "a part of the form without a name");
    }
    return part;
}

tl::unexpected<Error> truncated() {
    return fail(ErrorKind::kInvalidArgument, "the form ends before its last boundary");
}

/// Walks from boundary to boundary.
class Walk {
  public:
    Walk(std::string_view body, std::string_view boundary)
        : rest_(body), delimiter_("\r\n--" + std::string(boundary)) {}

    /// To behind the first boundary, which needs no line break before it.
    [[nodiscard]] bool find_first() {
        const auto bare = std::string_view(delimiter_).substr(2);
        if (rest_.starts_with(bare)) {
            rest_.remove_prefix(bare.size());
            return true;
        }
        return data_up_to_boundary().has_value();
    }

    /// After a boundary: whether it was the last. An error unless a line break or "--" follows.
    [[nodiscard]] Result<bool> is_last() {
        if (rest_.starts_with("--")) {
            return true;
        }
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
        if (!rest_.starts_with("\r\n")) {
            return truncated();
        }
        rest_.remove_prefix(2);
        return false;
    }

    [[nodiscard]] Result<std::string_view> headers(std::size_t limit) {
        if (rest_.starts_with("\r\n")) {
            rest_.remove_prefix(2);
            return std::string_view();
        }
        const auto end = rest_.substr(0, limit).find("\r\n\r\n");
        if (end == std::string_view::npos) {
            if (rest_.size() < limit) {
                return truncated();
            }
            return fail(
                ErrorKind::kExhausted, "a part's headers exceed {} bytes, the limit", limit
            );
        }
        const auto found = rest_.substr(0, end);
        rest_.remove_prefix(end + 4);
        return found;
    }

    [[nodiscard]] std::optional<std::string_view> data_up_to_boundary() {
        // The delimiter holds one \r, its first byte: a match that fails is never looked at twice.
        const auto end = rest_.find(delimiter_);
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        const auto found = rest_.substr(0, end);
        rest_.remove_prefix(end + delimiter_.size());
        return found;
    }

  private:
    std::string_view rest_;
    std::string delimiter_;
};

}  // namespace

bool is_multipart(std::string_view content_type) {
    const auto type = parse_parameterized(content_type);
    return type && type->value == "multipart/form-data";
}

Result<std::vector<FormPart>> parse_multipart(
    std::string_view content_type, std::string_view body, const MultipartLimits& limits
) {
    TESSERA_ASSIGN(const auto boundary, boundary_of(content_type));
    Walk walk(body, boundary);
    if (!walk.find_first()) {
        return fail(ErrorKind::kInvalidArgument, "the form's boundary does not occur in it");
    }
    std::vector<FormPart> parts;
    for (;;) {
        TESSERA_ASSIGN(const bool is_last, walk.is_last());
        if (is_last) {
            return parts;
        }
        if (parts.size() == limits.parts) {
            return fail(
                ErrorKind::kExhausted, "the form has more than {} parts, the limit", limits.parts
            );
        }
        TESSERA_ASSIGN(const auto headers, walk.headers(limits.header_bytes));
        TESSERA_ASSIGN(auto part, read_headers(headers));
        const auto data = walk.data_up_to_boundary();
        if (!data) {
            return truncated();
        }
        part.data = *data;
        parts.push_back(std::move(part));
    }
}

}  // namespace tessera::http
