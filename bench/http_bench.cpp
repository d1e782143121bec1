// How many requests a second the HTTP server answers on kept connections, and what an open event
// stream costs in memory. Client and server share the process and its cores.
//
//   http_bench [streams]
#include "http/server.h"
#include "http/sse.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace tessera::http;

constexpr int kConnections = 64;
constexpr int kClientThreads = 2;
constexpr auto kMeasured = std::chrono::seconds(3);

int connect_to(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        std::perror("connect");
        std::exit(1);
    }
    return socket;
}

std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t pages = 0;
    statm >> pages >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Each thread sends one request on each of its connections, then takes the answers in turn.
void measure_requests(std::uint16_t port, const std::string& name, const std::string& request) {
    std::atomic<std::uint64_t> answered = 0;
    const auto until = std::chrono::steady_clock::now() + kMeasured;
    std::vector<std::thread> clients;
    for (int i = 0; i < kClientThreads; ++i) {
        clients.emplace_back([&] {
            std::vector<int> sockets;
            for (int j = 0; j < kConnections / kClientThreads; ++j) {
                sockets.push_back(connect_to(port));
            }
            std::string answer(4096, '\0');
            while (std::chrono::steady_clock::now() < until) {
                for (const int socket : sockets) {
                    static_cast<void>(::send(socket, request.data(), request.size(), MSG_NOSIGNAL));
                }
                for (const int socket : sockets) {
                    if (::recv(socket, answer.data(), answer.size(), 0) > 0) {
                        ++answered;
                    }
                }
            }
            for (const int socket : sockets) {
                ::close(socket);
            }
        });
    }
    for (auto& client : clients) {
        client.join();
    }
    fmt::print(
        "{}: {:.0f} requests/s on {} connections\n",
        name,
        static_cast<double>(answered) / std::chrono::duration<double>(kMeasured).count(),
        kConnections
    );
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t wanted = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 2000;
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);

    std::mutex mutex;
    std::vector<std::shared_ptr<ResponseStream>> streams;
    Router router;
    router.add("GET", "/hello", [](const std::shared_ptr<Exchange>& exchange) {
        exchange->respond(text_response(200, "hello"));
    });
    router.add("POST", "/jobs", [](const std::shared_ptr<Exchange>& exchange) {
        exchange->respond(json_response(201, exchange->request().body));
    });
    router.add("GET", "/events", [&](const std::shared_ptr<Exchange>& exchange) {
        Response head;
        head.fields.add("Content-Type", "text/event-stream");
        auto stream = exchange->stream(std::move(head));
        const std::scoped_lock lock(mutex);
        streams.push_back(std::move(stream));
    });
    ServerOptions options;
    options.handler_threads = 2;
    auto server = Server::start(options, std::move(router));
    if (!server) {
        fmt::print(stderr, "{}\n", server.error().message);
        return 1;
    }
    const auto port = (*server)->port();

    measure_requests(port, "GET", "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string job(600, 'x');
    measure_requests(
        port,
        "POST of 600 bytes",
        fmt::format(
            "POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", job.size(), job
        )
    );

    const auto before = resident_bytes();
    std::vector<int> sockets;
    const std::string request =
        "GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n";
    for (std::size_t i = 0; i < wanted; ++i) {
        sockets.push_back(connect_to(port));
        static_cast<void>(::send(sockets.back(), request.data(), request.size(), MSG_NOSIGNAL));
    }
    const auto open_streams = [&] {
        const std::scoped_lock lock(mutex);
        return streams.size();
    };
    while (open_streams() < wanted) {
        std::this_thread::yield();
    }
    const auto after = resident_bytes();
    fmt::print(
        "{} event streams: {:.1f} MB more resident memory, {:.1f} KB each; {:.1f} MB in all\n",
        wanted,
        static_cast<double>(after - before) / 1e6,
        static_cast<double>(after - before) / 1e3 / static_cast<double>(wanted),
        static_cast<double>(after) / 1e6
    );

    const std::string event = format_event("step", std::string(200, 'x'), "1");
    const auto begun = std::chrono::steady_clock::now();
    std::size_t refused = 0;
    for (int i = 0; i < 20; ++i) {
        for (const auto& stream : streams) {
            refused += stream->send_latest("job", event) ? 0U : 1U;
        }
    }
    const auto sent = std::chrono::steady_clock::now() - begun;
    fmt::print(
        "20 events to each of them: {:.0f} events/s offered, {} refused; {:.1f} MB in all\n",
        20.0 * static_cast<double>(wanted) / std::chrono::duration<double>(sent).count(),
        refused,
        static_cast<double>(resident_bytes()) / 1e6
    );
    streams.clear();
    (*server)->stop(std::chrono::seconds(5));
    for (const int socket : sockets) {
        ::close(socket);
    }
    return 0;
}
