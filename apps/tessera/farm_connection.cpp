#include "tessera/farm_connection.h"

#include "base/clock.h"
#include "base/entropy.h"
#include "base/hash.h"
#include "tessera/farm_refusal.h"

#include <algorithm>
#include <condition_variable>
#include <utility>

namespace tessera::cli {
namespace {

constexpr std::chrono::milliseconds kPing{2'000};
constexpr Duration kFirstPause = std::chrono::milliseconds(200);
constexpr Duration kLongestPause = std::chrono::seconds(4);

std::string websocket_url(const std::string& url) {
    return (url.starts_with("https") ? "wss" + url.substr(5) : "ws" + url.substr(4)) +
           "/internal/worker";
}

class WebSocketLink final : public FarmLink {
  public:
    explicit WebSocketLink(std::unique_ptr<http::WebSocketClient> socket)
        : socket_(std::move(socket)) {}

    bool send(const WorkerMessage& message) override {
        auto frame = encode(message);
        return frame && socket_->send(*std::move(frame), true);
    }

  private:
    std::unique_ptr<http::WebSocketClient> socket_;
};

ErrorKind kind_of(int status) {
    switch (status) {
        case 400:
        case 422:
            return ErrorKind::kCorrupt;
        case 404:
            return ErrorKind::kNotFound;
        case 413:
            return ErrorKind::kInvalidArgument;
        default:
            // A token that has expired, a store that is full: the task goes back.
            return ErrorKind::kUnavailable;
    }
}

/// Whether another answer may come in a moment: the server starts anew, or is busy.
bool is_momentary(const Result<http::Response>& response) {
    if (response) {
        return response->status / 100 == 5 || response->status == 429;
    }
    return response.error().kind == ErrorKind::kUnavailable ||
           response.error().kind == ErrorKind::kDeadline;
}

}  // namespace

Result<std::unique_ptr<FarmLink>> WebSocketTransport::connect(Events events) {
    http::Fields fields;
    fields.add("Authorization", "Bearer " + address_.key);
    http::WebSocketClientEvents heard;
    heard.on_message = [on_message = events.on_message](const std::string& frame, bool binary) {
        if (!binary) {
            return;
        }
        // A server whose frames make no sense is as good as none; its lease on us runs out.
        if (auto message = decode_server_message(frame)) {
            on_message(*std::move(message));
        }
    };
    heard.on_closed = std::move(events.on_closed);
    http::ClientOptions options;
    options.authorities = address_.authorities;
    TESSERA_ASSIGN(
        auto socket,
        http::WebSocketClient::open(
            websocket_url(address_.url), fields, std::move(heard), kPing, kMaxFrameBytes, options
        )
    );
    return std::make_unique<WebSocketLink>(std::move(socket));
}

Result<http::Response> HttpTaskObjects::ask_once(
    const http::Request& request, const std::stop_token& stop
) {
    std::optional<http::Client> client;
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            client = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!client) {
        http::ClientOptions options;
        options.authorities = address_.authorities;
        TESSERA_ASSIGN(client, http::Client::open(address_.url, options));
    }
    TESSERA_ASSIGN(auto response, client->send(request, stop));
    const std::lock_guard lock(mutex_);
    idle_.push_back(*std::move(client));
    return response;
}

Result<http::Response> HttpTaskObjects::ask(http::Request request, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    const auto begun = std::chrono::steady_clock::now();
    for (Duration pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
        auto response = ask_once(request, stop);
        // Half of it by chance: many workers that lost one server must not come back at once.
        const Duration wait =
            duration_of(seconds_of(pause) * (0.5 + 0.5 * Entropy::system().unit()));
        const auto again = std::chrono::steady_clock::now() + wait;
        if (!is_momentary(response) || again > begun + patience_) {
            return response;
        }
        std::unique_lock lock(mutex);
        never.wait_until(lock, stop, again, [] { return false; });
        if (stop.stop_requested()) {
            return fail(ErrorKind::kCancelled, "stopped");
        }
    }
}

Result<Bytes> HttpTaskObjects::fetch(
    const ObjectRef& object, const std::string& token, const std::stop_token& stop
) {
    http::Request request;
    request.method = "GET";
    request.target = "/internal/objects/" + object.sha256;
    request.fields.add("Authorization", "Bearer " + token);
    TESSERA_ASSIGN(const auto response, ask(std::move(request), stop));
    if (response.status != 200) {
        return fail(
            kind_of(response.status),
            "the server does not give object {}: {}",
            object.sha256,
            refusal_of(response)
        );
    }
    const ByteView body = as_bytes(response.body);
    if (sha256_hex(body) != object.sha256) {
        return fail(ErrorKind::kUnavailable, "object {} came damaged", object.sha256);
    }
    return Bytes(body.begin(), body.end());
}

Result<ObjectRef> HttpTaskObjects::store(
    ByteView bytes,
    const std::string& media_type,
    const std::string& token,
    const std::stop_token& stop
) {
    ObjectRef object{sha256_hex(bytes), bytes.size(), media_type};
    http::Request request;
    request.method = "PUT";
    request.target = "/internal/objects/" + object.sha256;
    request.fields.add("Authorization", "Bearer " + token);
    request.fields.add("Content-Type", media_type);
    request.body = as_text(bytes);
    TESSERA_ASSIGN(const auto response, ask(std::move(request), stop));
    if (response.status / 100 != 2) {
        return fail(
            kind_of(response.status),
            "the server does not take object {}: {}",
            object.sha256,
            refusal_of(response)
        );
    }
    return object;
}

}  // namespace tessera::cli
