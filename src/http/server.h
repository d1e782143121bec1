#pragma once

#include "base/result.h"
#include "http/message.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::http {

/// The way back of one request. Answer it once, from any thread, now or later; a second answer is
/// ignored. Dropped unanswered, the client gets a 500. It may outlive the server. Thread-safe.
class Exchange {
  public:
    virtual ~Exchange() = default;

    [[nodiscard]] virtual const Request& request() const = 0;
    virtual void respond(Response response) = 0;

    /// Instead of respond: an answer of unknown length (server-sent events, a stream of JSON). Each
    /// part is sent as it comes. Ended by `finish`, or by dropping the stream.
    [[nodiscard]] virtual std::shared_ptr<class ResponseStream> stream(Response head) = 0;

    /// Calls back, from a thread of the pool's, when the client goes away before the answer is
    /// whole; at once when it has gone already. At most one callback; a second replaces the first.
    /// A client that shuts only its sending side counts as gone, but still gets an answer given by
    /// `respond`. Not seen while a client that pipelines has more than 64 KiB of requests waiting.
    virtual void on_gone(std::function<void()> gone) = 0;
};

/// Parts of an answer. Thread-safe.
class ResponseStream {
  public:
    virtual ~ResponseStream() = default;
    /// Queues a part. False when the client is gone, or so slow that more than the server's
    /// stream_backlog bytes wait: then nothing was queued, and the caller may try a later state.
    /// When nothing else waits, a part may be larger.
    virtual bool send(std::string part) = 0;
    /// Queues a part that stands for the latest state of `topic`: it replaces one of the same topic
    /// that still waits, and takes its turn at the end. So a slow reader gets the latest, and not
    /// the way there. False as with `send`; the part that waits stays then.
    virtual bool send_latest(std::string_view topic, std::string part) = 0;
    virtual void finish() = 0;
    virtual void on_gone(std::function<void()> gone) = 0;
};

/// An open WebSocket. Thread-safe.
class WebSocket {
  public:
    virtual ~WebSocket() = default;
    /// Queues a message. False when it is closed or too much waits, as with a ResponseStream.
    virtual bool send(std::string message, bool binary) = 0;
    virtual bool send_latest(std::string_view topic, std::string message, bool binary) = 0;
    /// After what is queued. `code` as RFC 6455 7.4 has them (1000 normal, 1001 going away, 1008
    /// policy, 1009 too big).
    virtual void close(std::uint16_t code, std::string reason) = 0;
};

/// What a WebSocket's owner hears, on threads for WebSockets alone, one call at a time, in order.
/// The next message is read when on_message has returned, so that a busy owner slows its peer down.
struct WebSocketEvents {
    std::function<void(std::string message, bool binary)> on_message;
    std::function<void()> on_closed;  ///< once, last
};

/// Called on the server's pool; may take its time, but waits for nothing longer than a disk.
using Handler = std::function<void(std::shared_ptr<Exchange>)>;
/// Looks at the upgrade request first; an error refuses it with its status.
using WebSocketHandler =
    std::function<Result<WebSocketEvents>(const Request&, std::shared_ptr<WebSocket>)>;
/// Before every handler, every upgrade and every 404 and 405, on the pool, with the head alone: an
/// answer ends the request there (keys, hosts, origins, rates, preflights).
using Guard = std::function<std::optional<Response>(Request&)>;
/// After every answer that was begun, for metrics and logs; an upgrade counts as 101. `route` is
/// the pattern, not the path; empty where none matched. On a thread of the network's: be quick.
using Observer = std::function<
    void(const Request&, std::string_view route, int status, std::chrono::microseconds)>;

struct RouteOptions {
    std::size_t body_limit = 1U << 20U;
    /// Called after the guard with the head alone, on the pool; an answer refuses the body.
    Guard before_body{};
    /// Its handler decodes pictures, or takes its time otherwise: it runs on threads of its own
    /// (ServerOptions::slow_threads), so that quick ones need not wait for it.
    bool is_slow = false;
};

/// Which handler answers what: "GET", "/api/v1/jobs/{id}". A path that is known with another method
/// answers 405 with Allow; HEAD is answered by GET's handler without the body. A {name} stands for
/// one whole segment and may hold anything, a decoded "/" too; what is written out goes before it.
class Router {
  public:
    Router();
    ~Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;

    void add(std::string_view method, std::string_view pattern, Handler handler, RouteOptions = {});
    /// A larger message closes the socket with 1009. `backlog` bounds what waits to be sent; 0: the
    /// server's stream_backlog.
    void add_websocket(
        std::string_view pattern,
        WebSocketHandler handler,
        std::size_t message_limit,
        std::size_t backlog = 0
    );
    void guard(Guard guard);
    void observe(Observer observer);
    /// Called with every answer before it is sent, errors and the heads of streams too: for fields
    /// that all of them carry. On a thread of the network's: be quick.
    void dress(std::function<void(const Request&, Response&)> dress);
    /// What answers a path that nobody knows, and an error that the server itself finds; by default
    /// {"error":{"message":…}}. The request is empty where it could not be read. On a thread of the
    /// network's: be quick.
    void on_error(std::function<Response(const Request&, int status, const std::string& message)> f
    );

    /// Methods and patterns; a WebSocket's method is GET.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> routes() const;

    struct State;
    [[nodiscard]] std::shared_ptr<State> state() const { return state_; }

  private:
    std::shared_ptr<State> state_;
};

struct TlsFiles {
    std::filesystem::path certificate;  ///< PEM, the whole chain
    std::filesystem::path key;
};

struct ServerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: any free one
    std::optional<TlsFiles> tls;
    int io_threads = 1;
    int handler_threads = 4;
    int slow_threads = 2;  ///< for routes that are slow
    std::size_t header_limit = 32U << 10U;
    std::size_t chunk_limit = 4096;  ///< chunks of a chunked body
    /// For a head from its first byte, and for a new connection with its TLS handshake.
    std::chrono::milliseconds header_timeout{10'000};
    /// A body must come at 1 KiB/s after this grace, and never pause for as long.
    std::chrono::milliseconds body_timeout{30'000};
    /// Between two requests; and of a client that takes nothing of its answer.
    std::chrono::milliseconds idle_timeout{75'000};
    /// One more gets a 503.
    std::size_t connection_limit = 4096;
    /// Memory for the bodies of all requests that are read or answered, but for the first 64 KiB of
    /// each. A body that does not fit into the rest gets a 503.
    std::size_t body_memory = 512U << 20U;
    std::size_t stream_backlog = 64U << 10U;
    /// Event streams and WebSockets are pinged (":" comments, ping frames) this often. A WebSocket
    /// that is silent for three of them is closed.
    std::chrono::milliseconds ping_interval{15'000};
};

/// Listens and serves until it is stopped. Destroying it stops it without grace and waits for the
/// handlers that run. Thread-safe.
class Server {
  public:
    /// kUnavailable when the port is taken, kInvalidArgument for a bad address or certificate.
    [[nodiscard]] static Result<std::unique_ptr<Server>> start(
        ServerOptions options, Router router
    );
    virtual ~Server() = default;

    [[nodiscard]] virtual std::uint16_t port() const = 0;
    /// Reads certificate and key again; on failure the old ones stay.
    [[nodiscard]] virtual Status reload_certificate() = 0;
    /// No new connections; answers under way are finished within `grace`, then all is closed.
    /// WebSockets are closed with 1001 at once; a stream lasts until its owner finishes it or the
    /// grace is over. Does not wait for handlers.
    virtual void stop(std::chrono::milliseconds grace) = 0;
    [[nodiscard]] virtual std::size_t connections() const = 0;
};

}  // namespace tessera::http
