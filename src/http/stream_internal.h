#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace tessera::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using ErrorCode = boost::system::error_code;
using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, asio::io_context::executor_type>;
using TlsContext = std::shared_ptr<asio::ssl::context>;

/// A connection with or without TLS under one type, so that all above it is compiled once. An
/// AsyncStream in Beast's sense.
class Stream {
  public:
    using executor_type = asio::io_context::executor_type;
    using Tls = asio::ssl::stream<Socket>;

    explicit Stream(Socket socket) : plain_(std::move(socket)) {}
    Stream(Socket socket, TlsContext context)
        : context_(std::move(context)), tls_(std::make_unique<Tls>(std::move(socket), *context_)) {}

    [[nodiscard]] executor_type get_executor() { return socket().get_executor(); }
    [[nodiscard]] Socket& socket() { return tls_ ? tls_->next_layer() : *plain_; }
    /// Null without TLS.
    [[nodiscard]] Tls* tls() { return tls_.get(); }

    /// Bytes that were read too far: the next read gets them.
    void put_back(std::string bytes) { leftover_ = std::move(bytes); }

    template <class Buffers, class Handler>
    void async_read_some(const Buffers& buffers, Handler&& handler) {
        if (!leftover_.empty()) {
            const auto count = asio::buffer_copy(buffers, asio::buffer(leftover_));
            leftover_.erase(0, count);
            asio::post(
                get_executor(),
                beast::bind_front_handler(std::forward<Handler>(handler), ErrorCode(), count)
            );
        } else if (tls_) {
            tls_->async_read_some(buffers, std::forward<Handler>(handler));
        } else {
            plain_->async_read_some(buffers, std::forward<Handler>(handler));
        }
    }
    template <class Buffers, class Handler>
    void async_write_some(const Buffers& buffers, Handler&& handler) {
        if (tls_) {
            tls_->async_write_some(buffers, std::forward<Handler>(handler));
        } else {
            plain_->async_write_some(buffers, std::forward<Handler>(handler));
        }
    }

    void close() {
        ErrorCode ignored;
        socket().close(ignored);
    }

  private:
    TlsContext context_;
    std::unique_ptr<Tls> tls_;
    std::optional<Socket> plain_;
    std::string leftover_;
};

// What Beast's WebSocket looks for beside the type.
inline void beast_close_socket(Stream& stream) {
    stream.close();
}
inline void teardown(beast::role_type role, Stream& stream, ErrorCode& error) {
    beast::websocket::teardown(role, stream.socket(), error);
}
template <class Handler>
void async_teardown(beast::role_type role, Stream& stream, Handler&& handler) {
    beast::websocket::async_teardown(role, stream.socket(), std::forward<Handler>(handler));
}

}  // namespace tessera::http
