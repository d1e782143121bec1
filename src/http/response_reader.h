#pragma once

#include "base/result.h"
#include "http/message.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace tessera::http {

/// Reads one HTTP/1.1 answer from bytes as they come; a "100 Continue" before it is passed over.
class ResponseReader {
  public:
    /// Gets the body's parts; an error ends reading.
    using Sink = std::function<Status(std::string_view part)>;

    /// Of an answer to HEAD no body is expected.
    ResponseReader(bool is_to_head, Sink sink);
    ~ResponseReader();
    ResponseReader(const ResponseReader&) = delete;
    ResponseReader& operator=(const ResponseReader&) = delete;

    /// How many of the bytes were used; the others come again with those that follow. kUnavailable
    /// when it is no HTTP, or the sink's error.
    [[nodiscard]] Result<std::size_t> feed(std::string_view bytes);
    /// The server sends no more. kUnavailable unless the answer is whole.
    [[nodiscard]] Status end();

    [[nodiscard]] bool is_done() const;
    [[nodiscard]] bool keeps_alive() const;
    /// With an empty body.
    [[nodiscard]] Response take_response();

  private:
    class Parser;
    const bool is_to_head_;
    const Sink sink_;
    std::unique_ptr<Parser> parser_;
};

}  // namespace tessera::http
