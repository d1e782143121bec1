#pragma once

#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tessera::http {

/// What is wrong with a request, as the answer says it.
struct RequestFault {
    int status = 400;
    std::string message;
};

/// Reads one HTTP/1.1 request from bytes as they come, within limits. Knows no sockets.
class RequestReader {
  public:
    struct Limits {
        std::size_t header_bytes = 32U << 10U;
        std::size_t chunks = 4096;
    };
    enum class Phase : std::uint8_t { kHead, kBody, kDone, kFailed };

    explicit RequestReader(const Limits& limits);
    ~RequestReader();
    RequestReader(const RequestReader&) = delete;
    RequestReader& operator=(const RequestReader&) = delete;

    /// How many of the bytes were used. It stops after the head; bytes that are not used come again
    /// with those that follow.
    [[nodiscard]] std::size_t feed(std::string_view bytes);

    [[nodiscard]] Phase phase() const;
    [[nodiscard]] const RequestFault& fault() const;

    // After the head.
    [[nodiscard]] Request& request();
    [[nodiscard]] const std::string& raw_path() const;
    [[nodiscard]] bool keeps_alive() const;
    [[nodiscard]] bool is_http_1_0() const;
    [[nodiscard]] bool expects_continue() const;
    /// Of a body that tells it in advance.
    [[nodiscard]] std::optional<std::uint64_t> content_length() const;
    /// A longer body fails with 413. Before the body is fed; 0 until then.
    void limit_body(std::size_t bytes);
    [[nodiscard]] std::string take_body();
    /// What of the body has come.
    [[nodiscard]] std::size_t body_bytes() const;

  private:
    class Parser;
    std::unique_ptr<Parser> parser_;
};

}  // namespace tessera::http
