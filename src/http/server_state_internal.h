#pragma once

#include "http/handler_pool.h"
#include "http/router_state.h"
#include "http/server.h"

#include <atomic>
#include <memory>

namespace tessera::http {

/// What every connection of a server shares. Outlives the server where an exchange does.
struct ServerState {
    ServerOptions options;
    std::shared_ptr<const Router::State> routes;
    std::shared_ptr<HandlerPool> pool;
    std::shared_ptr<HandlerPool> slow_pool;    ///< of routes that are `slow`
    std::shared_ptr<HandlerPool> socket_pool;  ///< of WebSockets: no request holds them up

    /// Where the route's handler runs.
    [[nodiscard]] HandlerPool& pool_of(const Route* route) const {
        return route != nullptr && route->options.is_slow ? *slow_pool : *pool;
    }
    std::atomic<std::size_t> connections = 0;
};

/// Counts a connection for as long as it lives, through an upgrade too.
class ConnectionCount {
  public:
    explicit ConnectionCount(std::shared_ptr<ServerState> state) : state_(std::move(state)) {
        ++state_->connections;
    }
    ~ConnectionCount() {
        if (state_) {
            --state_->connections;
        }
    }
    ConnectionCount(ConnectionCount&&) noexcept = default;
    ConnectionCount& operator=(ConnectionCount&&) = delete;

  private:
    std::shared_ptr<ServerState> state_;
};

}  // namespace tessera::http
