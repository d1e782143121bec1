#include "job/field_checks.h"

#include "base/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

namespace tessera {
namespace {

/// The bytes in front that are ASCII.
std::size_t ascii_prefix(std::string_view text) {
    std::size_t size = 0;
    for (std::uint64_t eight = 0; size + sizeof(eight) <= text.size(); size += sizeof(eight)) {
        std::memcpy(&eight, text.data() + size, sizeof(eight));
        if ((eight & 0x8080808080808080U) != 0) {
            break;
        }
    }
    while (size < text.size() && static_cast<unsigned char>(text[size]) < 0x80U) {
        ++size;
    }
    return size;
}

/// As check_utf8, but at once over what needs no look at single characters: recipes are long, and
/// every task's is checked several times.
bool is_utf8(std::string_view text) {
    while (true) {
        text.remove_prefix(ascii_prefix(text));
        if (text.empty()) {
            return true;
        }
        const auto* const end = std::ranges::find_if(text, [](char c) {
            return static_cast<unsigned char>(c) < 0x80U;
        });
        const auto size = static_cast<std::size_t>(end - text.begin());
        if (!check_utf8(text.substr(0, size))) {
            return false;
        }
        text.remove_prefix(size);
    }
}

}  // namespace

Status check_hash(std::string_view field, std::string_view hash) {
    constexpr std::size_t kHashDigits = 64;
    const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (hash.size() != kHashDigits || !std::all_of(hash.begin(), hash.end(), is_digit)) {
        return fail(ErrorKind::kInvalidArgument, "{} is not 64 lower-case hex digits", field);
    }
    return {};
}

tl::unexpected<Error> in_field(std::string_view field, Error error) {
    error.message = fmt::format("{}.{}", field, error.message);
    return tl::unexpected(std::move(error));
}

tl::unexpected<Error> in_field(std::string_view field, std::size_t index, Error error) {
    // An element that has no fields of its own goes on with its fault: "styles[2] has …".
    const bool nameless = error.message.starts_with(' ');
    error.message = fmt::format("{}[{}]{}{}", field, index, nameless ? "" : ".", error.message);
    return tl::unexpected(std::move(error));
}

Status check_text(std::string_view field, std::string_view text, std::size_t limit) {
    if (text.size() > limit) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} has {} bytes, {} are allowed",
            field,
            text.size(),
            limit
        );
    }
    if (!is_utf8(text)) {
        return fail(ErrorKind::kInvalidArgument, "{} is not UTF-8", field);
    }
    return {};
}

Status check_id(std::string_view field, std::string_view id) {
    const auto fits = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_';
    };
    if (id.empty() || id.size() > kMaxIdBytes || !std::all_of(id.begin(), id.end(), fits)) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} is not 1 to {} letters, digits, '-' and '_'",
            field,
            kMaxIdBytes
        );
    }
    return {};
}

Status check_range(std::string_view field, double value, double low, double high) {
    if (!(value >= low && value <= high)) {
        return fail(
            ErrorKind::kInvalidArgument, "{} is {}, it can be {} to {}", field, value, low, high
        );
    }
    return {};
}

Status check_size(std::string_view field, std::size_t size, std::size_t limit) {
    if (size > limit) {
        return fail(
            ErrorKind::kInvalidArgument, "{} has {} entries, {} are allowed", field, size, limit
        );
    }
    return {};
}

}  // namespace tessera
