#include "http/target.h"

#include "base/utf8.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace tessera::http {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

std::optional<unsigned> hex_value(char digit) {
    if (digit >= '0' && digit <= '9') {
        return static_cast<unsigned>(digit - '0');
    }
    if (digit >= 'a' && digit <= 'f') {
        return static_cast<unsigned>(digit - 'a') + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return static_cast<unsigned>(digit - 'A') + 10;
    }
    return std::nullopt;
}

bool is_control(char byte) {
    return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F;
}

Result<std::string> decode(std::string_view text, bool plus_is_space, bool may_hold_controls) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char byte = text[i];
        if (byte == '+' && plus_is_space) {
            byte = ' ';
        } else if (byte == '%') {
            const auto high = i + 2 < text.size() ? hex_value(text[i + 1]) : std::nullopt;
            const auto low = i + 2 < text.size() ? hex_value(text[i + 2]) : std::nullopt;
            if (!high || !low) {
                return fail(ErrorKind::kInvalidArgument, "a % without two hex digits after it");
            }
            byte = static_cast<char>(*high << 4U | *low);
            i += 2;
        }
        if (byte == '\0' || (!may_hold_controls && is_control(byte))) {
            return fail(ErrorKind::kInvalidArgument, "a control character in the address");
        }
        decoded.push_back(byte);
    }
    if (!check_utf8(decoded)) {
        return fail(ErrorKind::kInvalidArgument, "the address is not UTF-8");
    }
    return decoded;
}

/// What follows scheme and authority of "http://host/path"; nothing when it is no such target.
std::optional<std::string_view> without_authority(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.starts_with(scheme)) {
            const auto rest = target.substr(scheme.size());
            return rest.substr(std::min(rest.find_first_of("/?"), rest.size()));
        }
    }
    return std::nullopt;
}

}  // namespace

Result<std::string> percent_decode(std::string_view text) {
    return decode(text, false, false);
}

std::string percent_encode(std::string_view text) {
    std::string encoded;
    for (const char byte : text) {
        const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= '0' && byte <= '9') ||
                              std::string_view("-._~").find(byte) != std::string_view::npos;
        if (is_plain) {
            encoded.push_back(byte);
            continue;
        }
        const auto value = static_cast<unsigned char>(byte);
        encoded.push_back('%');
        encoded.push_back(kHexDigits[value >> 4U]);
        encoded.push_back(kHexDigits[value & 15U]);
    }
    return encoded;
}

Result<std::map<std::string, std::string>> parse_form(std::string_view text) {
    std::map<std::string, std::string> pairs;
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const auto pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (pair.empty()) {
            continue;
        }
        const auto equals = std::min(pair.find('='), pair.size());
        TESSERA_ASSIGN(auto name, decode(pair.substr(0, equals), true, true));
        TESSERA_ASSIGN(
            auto value, decode(pair.substr(std::min(equals + 1, pair.size())), true, true)
        );
        pairs.insert_or_assign(std::move(name), std::move(value));
    }
    return pairs;
}

Result<Target> parse_target(std::string_view target) {
    if (target == "*") {
        return Target{"*", "*", {}};
    }
    std::string_view rest = target;
    if (const auto absolute = without_authority(target)) {
        rest = *absolute;
    } else if (!target.starts_with('/')) {
        return fail(ErrorKind::kInvalidArgument, "the request's target does not start with /");
    }
    if (rest.find('#') != std::string_view::npos) {
        return fail(ErrorKind::kInvalidArgument, "the request's target holds a #");
    }
    const auto question = std::min(rest.find('?'), rest.size());
    const auto raw_path = question == 0 ? std::string_view("/") : rest.substr(0, question);
    TESSERA_ASSIGN(auto path, percent_decode(raw_path));
    TESSERA_ASSIGN(auto query, parse_form(rest.substr(std::min(question + 1, rest.size()))));
    return Target{std::move(path), std::string(raw_path), std::move(query)};
}

}  // namespace tessera::http
