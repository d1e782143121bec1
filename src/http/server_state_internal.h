#pragma once

#include "http/handler_pool.h"
#include "http/router_state.h"
#include "http/server.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

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
    std::atomic<std::size_t> body_bytes = 0;  ///< of BodyShares
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

/// What one request's body takes of ServerOptions::body_memory, given back at the end of its life.
class BodyShare {
  public:
    explicit BodyShare(std::shared_ptr<ServerState> state) : state_(std::move(state)) {}
    ~BodyShare() { give_back(); }
    BodyShare(const BodyShare&) = delete;
    BodyShare& operator=(const BodyShare&) = delete;

    /// Whether a body of so many bytes fits into what is left now.
    [[nodiscard]] bool has_room_for(std::uint64_t bytes) const;
    /// The body has so many bytes by now. False when that is more than is left; nothing is taken
    /// then.
    [[nodiscard]] bool grow_to(std::size_t bytes);
    void give_back() { state_->body_bytes -= std::exchange(counted_, 0); }

  private:
    const std::shared_ptr<ServerState> state_;
    std::size_t counted_ = 0;
};

}  // namespace tessera::http
