#pragma once

#include "http/connection_internal.h"
#include "http/exchange.h"
#include "http/loop_internal.h"

#include <memory>
#include <utility>

namespace tessera::http {

/// Calls from any thread, carried over to the connection's.
class ConnectionWayBack final : public WayBack {
  public:
    ConnectionWayBack(
        std::shared_ptr<Loop> loop, std::weak_ptr<Connection> connection, std::uint64_t turn
    )
        : loop_(std::move(loop)), connection_(std::move(connection)), turn_(turn) {}

    void respond(Response response) override {
        carry([response = std::move(response)](Connection& connection, std::uint64_t turn) mutable {
            connection.respond(turn, std::move(response));
        });
    }
    void begin_stream(Response head, std::shared_ptr<Outbox> outbox) override {
        carry([head = std::move(head), outbox = std::move(outbox)](
                  Connection& connection, std::uint64_t turn
              ) mutable { connection.begin_stream(turn, std::move(head), std::move(outbox)); });
    }
    void abandon() override {
        carry([](Connection& connection, std::uint64_t turn) { connection.abandon(turn); });
    }
    void wake() override {
        carry([](Connection& connection, std::uint64_t turn) { connection.wake(turn); });
    }
    void proceed() override {
        carry([](Connection& connection, std::uint64_t turn) { connection.proceed(turn); });
    }
    void upgrade(std::shared_ptr<WebSocketSession> session) {
        carry([session = std::move(session)](Connection& connection, std::uint64_t turn) {
            connection.upgrade(turn, session);
        });
    }

  private:
    template <class Call>
    void carry(Call call) {
        loop_->post([connection = connection_, turn = turn_, call = std::move(call)]() mutable {
            if (const auto alive = connection.lock()) {
                call(*alive, turn);
            }
        });
    }

    const std::shared_ptr<Loop> loop_;
    const std::weak_ptr<Connection> connection_;
    const std::uint64_t turn_;
};

}  // namespace tessera::http
