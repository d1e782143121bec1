#include "http/conditional.h"

#include "base/number.h"

#include <algorithm>
#include <optional>

namespace tessera::http {
namespace {

enum class Comparison : std::uint8_t { kStrong, kWeak };

/// Whether a list of entity tags (or "*") holds this one.
bool lists_etag(std::string_view list, std::string_view etag, Comparison comparison) {
    if (list == "*") {
        return true;
    }
    while (!list.empty()) {
        list.remove_prefix(std::min(list.find_first_not_of(" \t,"), list.size()));
        const bool is_weak = list.starts_with("W/");
        if (is_weak) {
            list.remove_prefix(2);
        }
        if (!list.starts_with('"')) {
            return false;
        }
        const auto end = list.find('"', 1);
        if (end == std::string_view::npos) {
            return false;
        }
        if (list.substr(0, end + 1) == etag && (!is_weak || comparison == Comparison::kWeak)) {
            return true;
        }
        list.remove_prefix(end + 1);
    }
    return false;
}

struct RangeWish {
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> last;
};

/// Nothing for anything but one well-formed range of bytes.
std::optional<RangeWish> parse_range(std::string_view text) {
    constexpr std::string_view kUnit = "bytes=";
    if (!text.starts_with(kUnit)) {
        return std::nullopt;
    }
    text.remove_prefix(kUnit.size());
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto first = text.substr(0, dash);
    const auto last = text.substr(dash + 1);
    const RangeWish wish{read_number<std::uint64_t>(first), read_number<std::uint64_t>(last)};
    const bool is_sound = (first.empty() || wish.first) && (last.empty() || wish.last) &&
                          (wish.first || wish.last) &&
                          (!wish.first || !wish.last || *wish.first <= *wish.last);
    return is_sound ? std::optional(wish) : std::nullopt;
}

Selection select_range(const RangeWish& wish, std::uint64_t total) {
    if (!wish.first) {
        const auto length = std::min(*wish.last, total);
        return length == 0 ? Selection{416, 0, 0} : Selection{206, total - length, length};
    }
    if (*wish.first >= total) {
        return {416, 0, 0};
    }
    const auto last = std::min(wish.last.value_or(total - 1), total - 1);
    return {206, *wish.first, last - *wish.first + 1};
}

}  // namespace

Selection select_content(const Request& request, std::string_view etag, std::uint64_t total) {
    const Fields& fields = request.fields;
    if (fields.has("If-Match") && !lists_etag(fields.get("If-Match"), etag, Comparison::kStrong)) {
        return {412, 0, 0};
    }
    if (fields.has("If-None-Match") &&
        lists_etag(fields.get("If-None-Match"), etag, Comparison::kWeak)) {
        return {304, 0, 0};
    }
    const bool is_range_current = !fields.has("If-Range") || fields.get("If-Range") == etag;
    if (request.method == "GET" && is_range_current) {
        if (const auto wish = parse_range(fields.get("Range"))) {
            return select_range(*wish, total);
        }
    }
    return {200, 0, total};
}

void describe_selection(
    const Selection& selection, std::string_view etag, std::uint64_t total, Response& response
) {
    response.status = selection.status;
    response.fields.set("ETag", std::string(etag));
    response.fields.set("Accept-Ranges", "bytes");
    if (selection.status == 206) {
        response.fields.set(
            "Content-Range",
            fmt::format(
                "bytes {}-{}/{}", selection.offset, selection.offset + selection.length - 1, total
            )
        );
    } else if (selection.status == 416) {
        response.fields.set("Content-Range", fmt::format("bytes */{}", total));
    }
}

}  // namespace tessera::http
