#pragma once

#include "base/result.h"
#include "http/message.h"
#include "http/outbox.h"
#include "http/stream_internal.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace tessera::http {

/// A WebSocket of either side: messages in, an outbox of messages out, pings, and a close that ends
/// in bounded time. Belongs to its executor's thread, where its owner is called.
class WebSocketChannel final : public std::enable_shared_from_this<WebSocketChannel> {
  public:
    struct Options {
        std::size_t message_limit = 0;
        std::chrono::milliseconds ping_interval{0};
    };
    struct Owner {
        /// The next message is not read before the owner calls `read`.
        std::function<void(std::string message, bool binary)> on_message;
        /// Once, last.
        std::function<void(Error why)> on_end;
    };

    WebSocketChannel(
        Stream stream, std::shared_ptr<Outbox> outbox, const Options& options, Owner owner
    );

    /// The server's side: answers the upgrade and begins.
    void accept(const Request& request);
    /// The client's side: asks for the upgrade. Once it has been agreed on, `begin`.
    void handshake(
        const std::string& authority,
        const std::string& target,
        const Fields& fields,
        std::function<void(Status)> done
    );
    void begin();

    void read();
    /// The outbox has something again.
    void flush();
    /// After what is queued.
    void close(std::uint16_t code, std::string reason);
    void abort(Error why);

  private:
    using Socket = beast::websocket::stream<Stream, false>;

    void write_next();
    void say_goodbye();
    void watch();
    void take_in(const ErrorCode& error);
    void end(const ErrorCode& error);

    Socket socket_;
    const std::shared_ptr<Outbox> outbox_;
    const Options options_;
    Owner owner_;
    asio::steady_timer timer_;
    beast::flat_buffer incoming_;
    std::deque<Outbox::Part> batch_;
    beast::websocket::response_type handshake_answer_;
    beast::websocket::close_reason goodbye_;
    bool is_open_ = false;
    bool is_reading_ = false;
    bool is_writing_ = false;
    bool is_pinging_ = false;
    bool has_said_goodbye_ = false;
    bool has_ended_ = false;
    int silent_intervals_ = 0;
};

}  // namespace tessera::http
