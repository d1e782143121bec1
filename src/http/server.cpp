#include "http/server.h"

#include "http/connection_internal.h"
#include "http/tls_internal.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace tessera::http {
namespace {

using Acceptor = asio::basic_socket_acceptor<Tcp, asio::io_context::executor_type>;

constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
    "Connection: close\r\n\r\n";

/// A few ticks in the shortest of the timeouts, so that none is missed by much.
std::chrono::milliseconds tick_of(const ServerOptions& options) {
    const auto shortest = std::min(
        {options.header_timeout, options.body_timeout, options.idle_timeout, options.ping_interval}
    );
    return std::clamp(shortest / 8, std::chrono::milliseconds(2), std::chrono::milliseconds(250));
}

std::string address_of(const Socket& socket) {
    ErrorCode error;
    const auto endpoint = socket.remote_endpoint(error);
    if (error) {
        return "";
    }
    const auto address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    }
    return address.to_string();
}

/// The door: accepts on the first loop and hands the connections round.
class Door final : public std::enable_shared_from_this<Door> {
  public:
    Door(std::shared_ptr<ServerState> server, std::vector<std::shared_ptr<Loop>> loops)
        : server_(std::move(server)),
          loops_(std::move(loops)),
          acceptor_(loops_.front()->context()),
          pause_(loops_.front()->context()) {}

    [[nodiscard]] Status open();
    [[nodiscard]] std::uint16_t port() const { return port_; }
    void set_tls(TlsContext context) {
        const std::scoped_lock lock(mutex_);
        tls_ = std::move(context);
    }
    void accept_next();
    void shut() {
        ErrorCode ignored;
        acceptor_.close(ignored);
        pause_.cancel();
    }

  private:
    void welcome(Socket socket, const std::shared_ptr<Loop>& loop);

    const std::shared_ptr<ServerState> server_;
    const std::vector<std::shared_ptr<Loop>> loops_;
    Acceptor acceptor_;
    asio::steady_timer pause_;
    std::uint16_t port_ = 0;
    std::size_t next_loop_ = 0;
    std::mutex mutex_;  ///< of tls_
    TlsContext tls_;
};

Status Door::open() {
    const ServerOptions& options = server_->options;
    ErrorCode error;
    const auto address = asio::ip::make_address(options.address, error);
    if (error) {
        return fail(
            ErrorKind::kInvalidArgument,
            "{} is not an address to listen on: give one in numbers, such as 127.0.0.1",
            options.address
        );
    }
    const Tcp::endpoint endpoint(address, options.port);
    const auto failed = [&] {
        return fail(
            ErrorKind::kUnavailable,
            "cannot listen on {} port {}: {}",
            options.address,
            options.port,
            error.message()
        );
    };
    acceptor_.open(endpoint.protocol(), error);
    if (error) {
        return failed();
    }
    acceptor_.set_option(Acceptor::reuse_address(true), error);
    acceptor_.bind(endpoint, error);
    if (error) {
        return failed();
    }
    acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        return failed();
    }
    port_ = acceptor_.local_endpoint(error).port();
    return {};
}

void Door::accept_next() {
    const auto loop = loops_[next_loop_++ % loops_.size()];
    acceptor_.async_accept(
        loop->context(),
        [self = shared_from_this(), loop](const ErrorCode& error, Socket socket) {
            if (!self->acceptor_.is_open()) {
                return;
            }
            if (!error) {
                self->welcome(std::move(socket), loop);
                self->accept_next();
                return;
            }
            // Out of file descriptors, perhaps: the next may find one.
            self->pause_.expires_after(kAcceptPause);
            self->pause_.async_wait([self](const ErrorCode& stopped) {
                if (!stopped && self->acceptor_.is_open()) {
                    self->accept_next();
                }
            });
        }
    );
}

void Door::welcome(Socket socket, const std::shared_ptr<Loop>& loop) {
    TlsContext tls;
    {
        const std::scoped_lock lock(mutex_);
        tls = tls_;
    }
    if (server_->connections >= server_->options.connection_limit) {
        if (!tls) {
            ErrorCode ignored;
            socket.non_blocking(true, ignored);
            socket.write_some(asio::buffer(kFull), ignored);
        }
        return;
    }
    auto peer = address_of(socket);
    auto stream = tls ? Stream(std::move(socket), std::move(tls)) : Stream(std::move(socket));
    const auto connection =
        std::make_shared<Connection>(server_, loop, std::move(stream), std::move(peer));
    loop->post([connection] { connection->start(); });
}

class RunningServer final : public Server {
  public:
    RunningServer(std::shared_ptr<ServerState> state, std::vector<std::shared_ptr<Loop>> loops)
        : state_(std::move(state)), loops_(std::move(loops)) {}
    ~RunningServer() override {
        stop(std::chrono::milliseconds(0));
        for (const auto& pool : {state_->socket_pool, state_->slow_pool, state_->pool}) {
            pool->shut();
        }
    }
    RunningServer(const RunningServer&) = delete;
    RunningServer& operator=(const RunningServer&) = delete;

    [[nodiscard]] Status open();
    [[nodiscard]] std::uint16_t port() const override { return port_; }
    [[nodiscard]] Status reload_certificate() override;
    void stop(std::chrono::milliseconds grace) override;
    [[nodiscard]] std::size_t connections() const override { return state_->connections; }

  private:
    const std::shared_ptr<ServerState> state_;
    const std::vector<std::shared_ptr<Loop>> loops_;
    std::mutex mutex_;  ///< of door_
    std::shared_ptr<Door> door_;
    std::uint16_t port_ = 0;
};

Status RunningServer::open() {
    door_ = std::make_shared<Door>(state_, loops_);
    TESSERA_TRY(reload_certificate());
    TESSERA_TRY(door_->open());
    port_ = door_->port();
    loops_.front()->post([door = door_] { door->accept_next(); });
    return {};
}

Status RunningServer::reload_certificate() {
    if (!state_->options.tls) {
        return {};
    }
    TESSERA_ASSIGN(auto context, server_tls(*state_->options.tls));
    const std::scoped_lock lock(mutex_);
    if (door_) {
        door_->set_tls(std::move(context));
    }
    return {};
}

void RunningServer::stop(std::chrono::milliseconds grace) {
    std::shared_ptr<Door> door;
    {
        const std::scoped_lock lock(mutex_);
        door = std::exchange(door_, nullptr);
    }
    if (!door) {
        return;
    }
    const auto until = std::chrono::steady_clock::now() + grace;
    // The door goes with its last handler, on its own loop.
    loops_.front()->post([door = std::move(door)] { door->shut(); });
    for (const auto& loop : loops_) {
        loop->drain();
    }
    for (const auto& loop : loops_) {
        static_cast<void>(loop->wait_until_empty(until));
    }
    for (const auto& loop : loops_) {
        loop->shut();
    }
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Router router) {
    auto state = std::make_shared<ServerState>();
    state->options = std::move(options);
    state->routes = router.state();
    state->pool = std::make_shared<HandlerPool>(state->options.handler_threads);
    state->slow_pool = std::make_shared<HandlerPool>(state->options.slow_threads);
    state->socket_pool = std::make_shared<HandlerPool>(1);
    std::vector<std::shared_ptr<Loop>> loops;
    for (int i = 0; i < std::max(state->options.io_threads, 1); ++i) {
        loops.push_back(std::make_shared<Loop>(tick_of(state->options)));
    }
    auto server = std::make_unique<RunningServer>(std::move(state), std::move(loops));
    TESSERA_TRY(server->open());
    return server;
}

}  // namespace tessera::http
