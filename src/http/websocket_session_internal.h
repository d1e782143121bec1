#pragma once

#include "http/loop_internal.h"
#include "http/request_reader.h"
#include "http/server_state_internal.h"
#include "http/websocket_channel_internal.h"

#include <memory>
#include <optional>

namespace tessera::http {

/// Why a request for a WebSocket is none (RFC 6455 4.2.1), if so.
[[nodiscard]] std::optional<RequestFault> upgrade_fault(const Request& request);

/// A client's WebSocket on its loop. It exists before the upgrade is agreed on, since the handler
/// that decides gets it already; `start` gives it the connection. Its owner hears on_closed once,
/// even if the client leaves before that.
class WebSocketSession final : public Session,
                               public std::enable_shared_from_this<WebSocketSession> {
  public:
    WebSocketSession(
        const std::shared_ptr<ServerState>& server, std::shared_ptr<Loop> loop, const Route& route
    );
    ~WebSocketSession() override;
    WebSocketSession(const WebSocketSession&) = delete;
    WebSocketSession& operator=(const WebSocketSession&) = delete;

    /// What the handler holds.
    [[nodiscard]] std::shared_ptr<WebSocket> socket();
    void listen(WebSocketEvents events);

    // On the loop's thread:
    void start(Stream stream, ConnectionCount count, const Request& request);
    void flush();
    void close_with(std::uint16_t code, std::string reason);
    void tick(SteadyTime /*now*/) override {}
    void drain() override;
    void close() override;

  private:
    void end();
    void tell_closed();

    const std::shared_ptr<Loop> loop_;
    const WebSocketChannel::Options options_;
    const std::shared_ptr<Outbox> outbox_;
    const std::shared_ptr<TaskChain> chain_;
    std::shared_ptr<WebSocketEvents> events_;
    std::optional<ConnectionCount> count_;
    std::shared_ptr<WebSocketChannel> channel_;
};

}  // namespace tessera::http
