#pragma once

#include "base/result.h"
#include "http/message.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace tessera::http {

struct ClientOptions {
    /// For name, connection and TLS handshake, each.
    std::chrono::milliseconds connect_timeout{5'000};
    /// Without a byte coming or going.
    std::chrono::milliseconds idle_timeout{60'000};
    std::size_t body_limit = 256U << 20U;  ///< of `send`; `stream` has none
    /// PEM of further authorities to believe; the system's count always.
    std::filesystem::path authorities;
};

/// Asks one server, "http://127.0.0.1:7860" or https. Keeps a connection open between requests.
/// A request on a kept connection that the server has closed meanwhile is repeated once on a new
/// one if its method is idempotent or it has an Idempotency-Key. Certificates and host names are
/// always verified. Redirects are not followed. One thread at a time.
class Client {
  public:
    /// kInvalidArgument for a URL that is none.
    [[nodiscard]] static Result<Client> open(std::string_view base_url, ClientOptions options = {});
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    /// The path and query come from `request.target`, behind the base URL's own path. An answer of
    /// any status is a success; kUnavailable when there is none, kDeadline, kCancelled, kExhausted
    /// above body_limit.
    [[nodiscard]] Result<Response> send(const Request& request, std::stop_token stop = {});
    /// Hands parts of the answer's body on as they come, until `each` says false; the body of the
    /// response is empty then.
    [[nodiscard]] Result<Response> stream(
        const Request& request,
        const std::function<bool(std::string_view part)>& each,
        std::stop_token stop = {}
    );

  private:
    struct State;
    explicit Client(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// What a WebSocket client hears, from a thread of its own; a call that lasts holds up reading.
struct WebSocketClientEvents {
    std::function<void(std::string message, bool binary)> on_message;
    /// Once, last; with why: kCancelled after `close`, else kUnavailable.
    std::function<void(Error why)> on_closed;
};

/// A WebSocket to a server, with its own thread. Answers pings, and pings every ping_interval: a
/// peer that says nothing for three of them is gone. Thread-safe.
class WebSocketClient {
  public:
    /// Connects. `fields` are sent with the upgrade (Authorization). kInvalidArgument for a bad URL
    /// or when the server refuses with a 4xx, else kUnavailable or kDeadline. Messages above
    /// `message_limit` close it with 1009.
    [[nodiscard]] static Result<std::unique_ptr<WebSocketClient>> open(
        std::string_view url,
        const Fields& fields,
        WebSocketClientEvents events,
        std::chrono::milliseconds ping_interval,
        std::size_t message_limit,
        ClientOptions options = {}
    );
    /// Closes; hears nothing more when it returns (unless it runs inside a callback).
    virtual ~WebSocketClient() = default;
    /// False when it is closed, or when more than max(1 MiB, 4 × message_limit) wait.
    virtual bool send(std::string message, bool binary) = 0;
    /// With 1000, after what is queued.
    virtual void close() = 0;
};

}  // namespace tessera::http
