#pragma once

#include "base/result.h"
#include "http/client.h"
#include "http/stream_internal.h"
#include "http/url.h"

#include <chrono>
#include <memory>
#include <stop_token>

namespace tessera::http {

/// How an asynchronous operation has ended that one thread waits for.
struct Ended {
    bool is_done = false;
    ErrorCode error;
    std::size_t count = 0;

    /// As the handler of an operation.
    template <class... Values>
    void operator()(const ErrorCode& code, Values&&... /*values*/) {
        is_done = true;
        error = code;
    }
    void operator()(const ErrorCode& code, std::size_t bytes) {
        is_done = true;
        error = code;
        count = bytes;
    }
};

/// Runs the context until the operation has ended. kDeadline or kCancelled when it has not: then it
/// still goes on, and must be made to end before what it uses is destroyed.
[[nodiscard]] Status wait_for(
    asio::io_context& context,
    const std::shared_ptr<Ended>& ended,
    std::chrono::milliseconds patience,
    const std::stop_token& stop
);

/// Closes the stream and runs the context until its operation is over.
void abandon(asio::io_context& context, Stream& stream, const std::shared_ptr<Ended>& ended);

/// A connection to the server, with the handshake of TLS where the URL is secure (`tls` then).
[[nodiscard]] Result<std::unique_ptr<Stream>> dial(
    asio::io_context& context,
    const Url& url,
    const TlsContext& tls,
    std::chrono::milliseconds timeout,
    const std::stop_token& stop
);

}  // namespace tessera::http
