#pragma once

#include <string>
#include <string_view>

namespace tessera::http {

/// One server-sent event, as a part of a text/event-stream. Every line of `data` gets its own
/// "data:"; an empty `event` or `id` is left out, and line breaks in them are dropped.
[[nodiscard]] std::string format_event(
    std::string_view event, std::string_view data, std::string_view id = {}
);

}  // namespace tessera::http
