#include "http/message_head.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace tessera::http {
namespace {

/// "Mon, 23 Nov 2026 17:29:01 GMT", made once a second for each thread.
const std::string& date_now() {
    thread_local std::time_t stamp = 0;
    thread_local std::string text;
    const std::time_t now = std::time(nullptr);
    if (now != stamp || text.empty()) {
        static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static constexpr std::array kMonths{
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        text = fmt::format(
            "{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
            kDays.at(static_cast<std::size_t>(parts.tm_wday)),
            parts.tm_mday,
            kMonths.at(static_cast<std::size_t>(parts.tm_mon)),
            parts.tm_year + 1900,
            parts.tm_hour,
            parts.tm_min,
            parts.tm_sec
        );
        stamp = now;
    }
    return text;
}

bool is_value_character(char byte) {
    return static_cast<unsigned char>(byte) >= 0x20 ? byte != 0x7F : byte == '\t';
}

bool is_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char byte) {
        return byte > 0x20 && byte < 0x7F &&
               std::string_view("\"(),/:;<=>?@[\\]{}").find(byte) == std::string_view::npos;
    });
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view other) {
        return equal_without_case(name, other);
    });
}

void append_field(std::string& head, std::string_view name, std::string_view value) {
    head += name;
    head += ": ";
    std::transform(value.begin(), value.end(), std::back_inserter(head), [](char byte) {
        return is_value_character(byte) ? byte : ' ';
    });
    head += "\r\n";
}

}  // namespace

bool is_sound_field(std::string_view name, std::string_view value) {
    return is_name(name) && std::all_of(value.begin(), value.end(), is_value_character);
}

std::string format_response_head(
    const Response& response, BodyFraming framing, std::uint64_t length, bool keep_alive
) {
    std::string head;
    head.reserve(256);
    fmt::format_to(
        std::back_inserter(head), "HTTP/1.1 {} {}\r\n", response.status, reason_of(response.status)
    );
    append_field(head, "Date", date_now());
    for (const auto& [name, value] : response.fields.all()) {
        if (is_name(name) &&
            !is_one_of(name, {"Date", "Content-Length", "Transfer-Encoding", "Connection"})) {
            append_field(head, name, value);
        }
    }
    if (framing == BodyFraming::kLength) {
        fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", length);
    } else if (framing == BodyFraming::kChunked) {
        head += "Transfer-Encoding: chunked\r\n";
    }
    head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    return head;
}

Result<std::string> format_request_head(
    const Request& request, const std::string& authority, const std::string& target
) {
    const bool is_target =
        target.starts_with('/') && std::all_of(target.begin(), target.end(), [](char byte) {
            return byte > 0x20 && byte < 0x7F && byte != '#';
        });
    if (!is_name(request.method) || !is_target) {
        return fail(ErrorKind::kInvalidArgument, "{} {} is not a request", request.method, target);
    }
    auto head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, target, authority);
    for (const auto& [name, value] : request.fields.all()) {
        if (!is_sound_field(name, value)) {
            return fail(ErrorKind::kInvalidArgument, "the field {} cannot be sent", name);
        }
        if (!is_one_of(name, {"Host", "Content-Length", "Transfer-Encoding", "Connection"})) {
            append_field(head, name, value);
        }
    }
    const bool has_body = !request.body.empty() || request.method == "POST" ||
                          request.method == "PUT" || request.method == "PATCH";
    if (has_body) {
        fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", request.body.size());
    }
    head += "\r\n";
    return head;
}

}  // namespace tessera::http
