// Any bytes as what a client sends after its WebSocket was agreed on, to a whole server over a real
// connection: it must end the connection, and tell the owner so exactly once.
#include "http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace tessera::http;

constexpr std::size_t kMessageLimit = 4096;
constexpr std::string_view kUpgrade =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

std::atomic<int> closed = 0;

std::unique_ptr<Server> start() {
    Router router;
    router.add_websocket(
        "/",
        [](const Request&, const std::shared_ptr<WebSocket>& socket) {
            return tessera::Result<WebSocketEvents>(WebSocketEvents{
                .on_message =
                    [socket](std::string message, bool binary) {
                        require(message.size() <= kMessageLimit);
                        static_cast<void>(socket->send(std::move(message), binary));
                    },
                .on_closed = [] { ++closed; }});
        },
        kMessageLimit
    );
    ServerOptions options;
    options.handler_threads = 1;
    return std::move(Server::start(options, std::move(router)).value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto server = start();
    const int before = closed;
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        ::close(client);
        return 0;  // out of ports: later inputs will find one
    }
    std::string bytes(kUpgrade);
    bytes.append(reinterpret_cast<const char*>(data), size);
    static_cast<void>(::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    ::shutdown(client, SHUT_WR);
    std::string answer(4096, '\0');
    while (::recv(client, answer.data(), answer.size(), 0) > 0) {
    }
    ::close(client);
    while (closed == before) {
        std::this_thread::yield();
    }
    require(closed == before + 1);
    return 0;
}
