#include "http/sse.h"

#include <algorithm>

namespace tessera::http {
namespace {

void append_field(std::string& text, std::string_view name, std::string_view value) {
    text += name;
    text += ": ";
    std::copy_if(value.begin(), value.end(), std::back_inserter(text), [](char byte) {
        return byte != '\r' && byte != '\n' && byte != '\0';
    });
    text += '\n';
}

}  // namespace

std::string format_event(std::string_view event, std::string_view data, std::string_view id) {
    std::string text;
    text.reserve(event.size() + data.size() + id.size() + 32);
    if (!id.empty()) {
        append_field(text, "id", id);
    }
    if (!event.empty()) {
        append_field(text, "event", event);
    }
    for (;;) {
        const auto end = std::min(data.find_first_of("\r\n"), data.size());
        text += "data: ";
        text += data.substr(0, end);
        text += '\n';
        if (end == data.size()) {
            break;
        }
        data.remove_prefix(data.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
    }
    text += '\n';
    return text;
}

}  // namespace tessera::http
