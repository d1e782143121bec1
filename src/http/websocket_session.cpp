#include "http/websocket_session_internal.h"

#include <algorithm>
#include <utility>

namespace tessera::http {
namespace {

constexpr std::uint16_t kGoingAway = 1001;
constexpr std::size_t kKeySize = 24;  // 16 bytes in base64

class ServerWebSocket final : public WebSocket {
  public:
    ServerWebSocket(
        std::shared_ptr<Loop> loop,
        std::weak_ptr<WebSocketSession> session,
        std::shared_ptr<Outbox> outbox
    )
        : loop_(std::move(loop)), session_(std::move(session)), outbox_(std::move(outbox)) {}

    bool send(std::string message, bool binary) override {
        return was_queued(outbox_->put({.bytes = std::move(message), .is_binary = binary}));
    }
    bool send_latest(std::string_view topic, std::string message, bool binary) override {
        return was_queued(outbox_->put_latest(
            {.bytes = std::move(message), .is_binary = binary, .topic = std::string(topic)}
        ));
    }
    void close(std::uint16_t code, std::string reason) override {
        static_cast<void>(outbox_->finish());
        loop_->post([session = session_, code, reason = std::move(reason)]() mutable {
            if (const auto alive = session.lock()) {
                alive->close_with(code, std::move(reason));
            }
        });
    }

  private:
    bool was_queued(Outbox::Offer offer) {
        if (offer == Outbox::Offer::kWake) {
            loop_->post([session = session_] {
                if (const auto alive = session.lock()) {
                    alive->flush();
                }
            });
        }
        return offer != Outbox::Offer::kRefused;
    }

    const std::shared_ptr<Loop> loop_;
    const std::weak_ptr<WebSocketSession> session_;
    const std::shared_ptr<Outbox> outbox_;
};

bool is_key(std::string_view key) {
    return key.size() == kKeySize && key.ends_with("==") &&
           std::all_of(key.begin(), key.end() - 2, [](char byte) {
               return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                      (byte >= 'A' && byte <= 'Z') || byte == '+' || byte == '/';
           });
}

}  // namespace

std::optional<RequestFault> upgrade_fault(const Request& request) {
    const Fields& fields = request.fields;
    if (!has_token(fields.get("Upgrade"), "websocket") ||
        !has_token(fields.get("Connection"), "upgrade")) {
        return RequestFault{426, fmt::format("{} speaks WebSocket only", request.path)};
    }
    if (!is_key(fields.get("Sec-WebSocket-Key"))) {
        return RequestFault{400, "the upgrade has no Sec-WebSocket-Key of 16 bytes in base64"};
    }
    if (fields.get("Sec-WebSocket-Version") != "13") {
        return RequestFault{426, "the only Sec-WebSocket-Version spoken here is 13"};
    }
    return std::nullopt;
}

WebSocketSession::WebSocketSession(
    const std::shared_ptr<ServerState>& server, std::shared_ptr<Loop> loop, const Route& route
)
    : loop_(std::move(loop)),
      options_{route.message_limit, server->options.ping_interval},
      outbox_(std::make_shared<Outbox>(
          route.backlog == 0 ? server->options.stream_backlog : route.backlog
      )),
      chain_(std::make_shared<TaskChain>(server->socket_pool)) {}

WebSocketSession::~WebSocketSession() {
    tell_closed();
}

std::shared_ptr<WebSocket> WebSocketSession::socket() {
    return std::make_shared<ServerWebSocket>(loop_, weak_from_this(), outbox_);
}

void WebSocketSession::listen(WebSocketEvents events) {
    events_ = std::make_shared<WebSocketEvents>(std::move(events));
}

void WebSocketSession::start(Stream stream, ConnectionCount count, const Request& request) {
    count_.emplace(std::move(count));
    // The channel's owner is this session as long as the channel lives; `end` parts the two.
    const auto self = shared_from_this();
    channel_ = std::make_shared<WebSocketChannel>(
        std::move(stream),
        outbox_,
        options_,
        WebSocketChannel::Owner{
            .on_message =
                [self](std::string message, bool binary) {
                    self->chain_->post([loop = self->loop_,
                                        weak = self->weak_from_this(),
                                        events = self->events_,
                                        message = std::move(message),
                                        binary]() mutable {
                        if (events->on_message) {
                            events->on_message(std::move(message), binary);
                        }
                        loop->post([weak] {
                            const auto alive = weak.lock();
                            if (alive && alive->channel_) {
                                alive->channel_->read();
                            }
                        });
                    });
                },
            .on_end = [self](Error) { self->end(); }}
    );
    loop_->add(self);
    if (channel_) {  // a loop that stops takes nobody in
        channel_->accept(request);
    }
}

void WebSocketSession::flush() {
    if (channel_) {
        channel_->flush();
    }
}

void WebSocketSession::close_with(std::uint16_t code, std::string reason) {
    if (channel_) {
        channel_->close(code, std::move(reason));
    }
}

void WebSocketSession::drain() {
    close_with(kGoingAway, "the server stops");
}

void WebSocketSession::close() {
    if (const auto channel = channel_) {
        channel->abort({ErrorKind::kCancelled, "the server stops"});
    } else {
        tell_closed();
    }
}

void WebSocketSession::end() {
    const auto self = shared_from_this();
    channel_.reset();
    tell_closed();
    count_.reset();
    loop_->remove(*this);
}

void WebSocketSession::tell_closed() {
    outbox_->close();
    if (auto events = std::exchange(events_, nullptr)) {
        chain_->post([events = std::move(events)] {
            if (events->on_closed) {
                events->on_closed();
            }
        });
    }
}

}  // namespace tessera::http
