#pragma once

#include "http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace tessera::http {

/// A bare TCP connection to a server on this machine, for what no honest client would send.
class RawConnection {
  public:
    explicit RawConnection(std::uint16_t port, int receive_buffer = 0)
        : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        if (receive_buffer > 0) {
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
        }
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        is_connected_ =
            ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    }
    ~RawConnection() { close(); }
    RawConnection(const RawConnection&) = delete;
    RawConnection& operator=(const RawConnection&) = delete;

    [[nodiscard]] bool is_connected() const { return is_connected_; }

    /// False once the server has closed.
    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    /// Adds what comes to `received`. False at the end, and after ten seconds of nothing.
    bool receive() {
        pollfd wait{socket_, POLLIN, 0};
        if (::poll(&wait, 1, 10'000) != 1) {
            return false;
        }
        std::string part(16'384, '\0');
        const auto count = ::recv(socket_, part.data(), part.size(), 0);
        if (count <= 0) {
            return false;
        }
        received.append(part, 0, static_cast<std::size_t>(count));
        return true;
    }
    const std::string& receive_all() {
        while (receive()) {
        }
        return received;
    }
    bool receive_until(std::string_view text) {
        while (received.find(text) == std::string::npos) {
            if (!receive()) {
                return false;
            }
        }
        return true;
    }
    bool receive_bytes(std::size_t count) {
        while (received.size() < count) {
            if (!receive()) {
                return false;
            }
        }
        return true;
    }
    void shut_sending() const { ::shutdown(socket_, SHUT_WR); }
    void close() {
        if (socket_ >= 0) {
            ::close(socket_);
            socket_ = -1;
        }
    }

    std::string received;

  private:
    int socket_;
    bool is_connected_ = false;
};

/// Something another thread will set.
template <class T>
class Awaited {
  public:
    void set(T value) {
        const std::scoped_lock lock(mutex_);
        value_ = std::move(value);
        changed_.notify_all();
    }
    /// Waits for ten seconds at most.
    [[nodiscard]] std::optional<T> get() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::seconds(10), [&] { return value_.has_value(); });
        return value_;
    }
    [[nodiscard]] bool is_set() {
        const std::scoped_lock lock(mutex_);
        return value_.has_value();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<T> value_;
};

/// A server on a free port of this machine.
class LoopbackTest : public ::testing::Test {
  protected:
    void start() {
        auto started = Server::start(options_, std::move(router_));
        ASSERT_TRUE(started) << started.error().message;
        server_ = std::move(*started);
    }
    /// Sends bytes, and returns all that comes until the server closes.
    std::string talk(std::string_view bytes) const {
        RawConnection connection(server_->port());
        connection.send(bytes);
        return connection.receive_all();
    }
    std::string url(std::string_view scheme = "http") const {
        return fmt::format("{}://127.0.0.1:{}", scheme, server_->port());
    }

    ServerOptions options_;
    Router router_;
    std::unique_ptr<Server> server_;
};

}  // namespace tessera::http
