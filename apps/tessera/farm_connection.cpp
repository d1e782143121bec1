#include "tessera/farm_connection.h"

#include "base/hash.h"

#include <condition_variable>
#include <utility>

namespace tessera::cli {
namespace {

constexpr std::chrono::milliseconds kPing{2'000};
constexpr int kTries = 4;
constexpr std::chrono::milliseconds kFirstPause{200};

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

/// The sentence of {"error":{"message":…}}, or the body as it is.
std::string reason_of(const http::Response& response) {
    constexpr std::string_view kKey = R"("message":")";
    const auto begin = response.body.find(kKey);
    if (begin == std::string::npos) {
        return response.body.substr(0, 200);
    }
    const auto from = begin + kKey.size();
    return response.body.substr(from, response.body.find('"', from) - from);
}

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
    auto pause = kFirstPause;
    for (int tries = 1;; ++tries, pause *= 2) {
        auto response = ask_once(request, stop);
        const bool again = response ? response->status == 503
                                    : response.error().kind == ErrorKind::kUnavailable ||
                                          response.error().kind == ErrorKind::kDeadline;
        if (!again || tries == kTries) {
            return response;
        }
        std::unique_lock lock(mutex);
        if (never.wait_for(lock, stop, pause, [&] { return stop.stop_requested(); })) {
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
            reason_of(response)
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
            reason_of(response)
        );
    }
    return object;
}

}  // namespace tessera::cli
