#include "http/websocket_channel_internal.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <algorithm>
#include <utility>

namespace tessera::http {
namespace {

namespace websocket = beast::websocket;

constexpr int kSilentIntervals = 3;
constexpr std::chrono::seconds kCloseTime{3};
constexpr std::size_t kReadAtOnce = 64U << 10U;
constexpr std::size_t kKeptCapacity = 16U << 10U;
constexpr std::size_t kLongestReason = 123;  // RFC 6455 5.5

Error why_ended(const ErrorCode& error, const websocket::close_reason& reason) {
    if (error == websocket::error::closed) {
        return {
            ErrorKind::kUnavailable,
            fmt::format(
                "the peer closed the WebSocket: {}{}{}",
                static_cast<unsigned>(reason.code),
                reason.reason.empty() ? "" : ", ",
                std::string_view(reason.reason.data(), reason.reason.size())
            )};
    }
    return {ErrorKind::kUnavailable, "the WebSocket broke: " + error.message()};
}

}  // namespace

WebSocketChannel::WebSocketChannel(
    Stream stream, std::shared_ptr<Outbox> outbox, const Options& options, Owner owner
)
    : socket_(std::move(stream)),
      outbox_(std::move(outbox)),
      options_(options),
      owner_(std::move(owner)),
      timer_(socket_.get_executor()) {
    socket_.auto_fragment(false);
    socket_.read_message_max(options.message_limit);
    socket_.control_callback([this](websocket::frame_type, beast::string_view) {
        silent_intervals_ = 0;
    });
}

void WebSocketChannel::accept(const Request& request) {
    beast::http::request<beast::http::empty_body> upgrade;
    upgrade.version(11);
    upgrade.method(beast::http::verb::get);
    upgrade.target(request.target);
    for (const std::string_view name :
         {"Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"}) {
        const auto value = request.fields.get(name);
        upgrade.insert({name.data(), name.size()}, beast::string_view(value.data(), value.size()));
    }
    watch();
    socket_.async_accept(upgrade, [self = shared_from_this()](const ErrorCode& error) {
        if (error) {
            self->end(error);
        } else if (!self->has_ended_) {
            self->is_open_ = true;
            self->read();
            self->flush();
        }
    });
}

void WebSocketChannel::handshake(
    const std::string& authority,
    const std::string& target,
    const Fields& fields,
    std::function<void(Status)> done
) {
    socket_.set_option(websocket::stream_base::decorator([fields](websocket::request_type& upgrade
                                                         ) {
        for (const auto& [name, value] : fields.all()) {
            upgrade.set(name, value);
        }
    }));
    socket_.async_handshake(
        handshake_answer_,
        authority,
        target,
        [self = shared_from_this(), done = std::move(done)](const ErrorCode& error) {
            const auto status = self->handshake_answer_.result_int();
            if (!error) {
                done({});
            } else if (error == websocket::error::upgrade_declined) {
                const bool may_pass = status == 408 || status == 425 || status == 429;
                done(fail(
                    status >= 400 && status < 500 && !may_pass ? ErrorKind::kInvalidArgument
                                                               : ErrorKind::kUnavailable,
                    "the server refuses the WebSocket: {} {}",
                    status,
                    reason_of(static_cast<int>(status))
                ));
            } else {
                done(fail(
                    ErrorKind::kUnavailable, "the server makes no WebSocket: {}", error.message()
                ));
            }
        }
    );
}

void WebSocketChannel::begin() {
    is_open_ = true;
    watch();
    read();
    flush();
}

void WebSocketChannel::read() {
    if (is_reading_ || has_ended_) {
        return;
    }
    is_reading_ = true;
    socket_.async_read_some(
        incoming_,
        kReadAtOnce,
        [self = shared_from_this()](const ErrorCode& error, std::size_t /*count*/) {
            self->is_reading_ = false;
            self->take_in(error);
        }
    );
}

void WebSocketChannel::take_in(const ErrorCode& error) {
    if (has_ended_) {
        return;
    }
    if (error) {
        end(error);
        return;
    }
    silent_intervals_ = 0;
    if (!socket_.is_message_done()) {
        read();
        return;
    }
    std::string message(static_cast<const char*>(incoming_.data().data()), incoming_.size());
    incoming_.clear();
    if (incoming_.capacity() > kKeptCapacity) {
        incoming_.shrink_to_fit();
    }
    owner_.on_message(std::move(message), socket_.got_binary());
}

void WebSocketChannel::flush() {
    if (!is_open_ || is_writing_ || has_said_goodbye_ || has_ended_) {
        return;
    }
    for (Outbox::Part& part : outbox_->take(0)) {
        batch_.push_back(std::move(part));
    }
    if (!batch_.empty()) {
        write_next();
    } else if (outbox_->is_at_end() && goodbye_.code != websocket::close_code::none) {
        say_goodbye();
    }
}

void WebSocketChannel::write_next() {
    is_writing_ = true;
    socket_.binary(batch_.front().is_binary);
    socket_.async_write(
        asio::buffer(batch_.front().bytes),
        [self = shared_from_this()](const ErrorCode& error, std::size_t /*count*/) {
            self->is_writing_ = false;
            self->batch_.pop_front();
            if (error) {
                self->end(error);
            } else {
                self->flush();
            }
        }
    );
}

void WebSocketChannel::close(std::uint16_t code, std::string reason) {
    if (goodbye_.code == websocket::close_code::none) {
        reason.resize(std::min(reason.size(), kLongestReason));
        goodbye_ = {static_cast<websocket::close_code>(code), reason};
    }
    static_cast<void>(outbox_->finish());
    flush();
}

void WebSocketChannel::say_goodbye() {
    has_said_goodbye_ = true;
    timer_.expires_after(kCloseTime);
    timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
        if (!error) {
            self->abort({ErrorKind::kCancelled, "the WebSocket was closed; the peer did not agree"}
            );
        }
    });
    socket_.async_close(goodbye_, [self = shared_from_this()](const ErrorCode&) {
        self->abort({ErrorKind::kCancelled, "the WebSocket was closed"});
    });
}

/// Pings, and ends what is silent for too long.
void WebSocketChannel::watch() {
    timer_.expires_after(options_.ping_interval);
    timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
        if (error || self->has_ended_ || self->has_said_goodbye_) {
            return;
        }
        // While the owner holds a message, nothing is read, and nothing can be heard.
        self->silent_intervals_ =
            self->is_reading_ || !self->is_open_ ? self->silent_intervals_ + 1 : 0;
        if (self->silent_intervals_ > kSilentIntervals) {
            self->abort({ErrorKind::kUnavailable, "the WebSocket's peer is silent"});
            return;
        }
        if (self->is_open_ && !self->is_pinging_) {
            self->is_pinging_ = true;
            self->socket_.async_ping({}, [self](const ErrorCode&) { self->is_pinging_ = false; });
        }
        self->watch();
    });
}

void WebSocketChannel::end(const ErrorCode& error) {
    if (has_said_goodbye_) {
        abort({ErrorKind::kCancelled, "the WebSocket was closed"});
    } else {
        abort(why_ended(error, socket_.reason()));
    }
}

void WebSocketChannel::abort(Error why) {
    if (std::exchange(has_ended_, true)) {
        return;
    }
    outbox_->close();
    timer_.cancel();
    socket_.next_layer().close();
    const auto on_end = std::exchange(owner_.on_end, nullptr);
    owner_.on_message = nullptr;
    on_end(std::move(why));
}

}  // namespace tessera::http
