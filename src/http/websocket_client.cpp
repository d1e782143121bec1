#include "http/client.h"
#include "http/dial_internal.h"
#include "http/tls_internal.h"
#include "http/websocket_channel_internal.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace tessera::http {
namespace {

constexpr std::size_t kSmallestBacklog = 1U << 20U;
constexpr std::uint16_t kNormal = 1000;

/// What the client's thread and its owner share.
struct Shared {
    explicit Shared(std::size_t backlog) : outbox(std::make_shared<Outbox>(backlog)) {}

    asio::io_context context{1};
    const std::shared_ptr<Outbox> outbox;
    std::shared_ptr<WebSocketChannel> channel;
    WebSocketClientEvents events;
};

class RunningWebSocket final : public WebSocketClient {
  public:
    explicit RunningWebSocket(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {
        thread_ = std::thread([shared = shared_] {
            shared->channel->begin();
            shared->context.run();
            shared->channel.reset();
        });
    }
    ~RunningWebSocket() override {
        asio::post(shared_->context, [shared = shared_.get()] {
            shared->channel->abort({ErrorKind::kCancelled, "the WebSocket was closed"});
        });
        if (thread_.get_id() == std::this_thread::get_id()) {
            thread_.detach();
        } else {
            thread_.join();
        }
    }
    RunningWebSocket(const RunningWebSocket&) = delete;
    RunningWebSocket& operator=(const RunningWebSocket&) = delete;

    bool send(std::string message, bool binary) override {
        const auto offer = shared_->outbox->put({.bytes = std::move(message), .is_binary = binary});
        if (offer == Outbox::Offer::kWake) {
            asio::post(shared_->context, [shared = shared_.get()] { shared->channel->flush(); });
        }
        return offer != Outbox::Offer::kRefused;
    }
    void close() override {
        static_cast<void>(shared_->outbox->finish());
        asio::post(shared_->context, [shared = shared_.get()] {
            shared->channel->close(kNormal, "");
        });
    }

  private:
    const std::shared_ptr<Shared> shared_;
    std::thread thread_;
};

Status agree(
    Shared& shared,
    const Url& url,
    std::string_view query,
    const Fields& fields,
    std::chrono::milliseconds timeout
) {
    struct Agreement : Ended {
        Status status;
    };
    const auto agreement = std::make_shared<Agreement>();
    shared.channel->handshake(
        url.authority(),
        (url.path.empty() ? "/" : url.path) + std::string(query),
        fields,
        [agreement](Status status) {
            agreement->is_done = true;
            agreement->status = std::move(status);
        }
    );
    auto waited = wait_for(shared.context, agreement, timeout, {});
    return waited ? agreement->status : waited;
}

}  // namespace

Result<std::unique_ptr<WebSocketClient>> WebSocketClient::open(
    std::string_view url,
    const Fields& fields,
    WebSocketClientEvents events,
    std::chrono::milliseconds ping_interval,
    std::size_t message_limit,
    ClientOptions options
) {
    const auto query = url.substr(std::min(url.find('?'), url.size()));
    TESSERA_ASSIGN(const auto address, parse_url(url.substr(0, url.size() - query.size())));
    TlsContext tls;
    if (address.is_secure) {
        TESSERA_ASSIGN(tls, client_tls(options.authorities));
    }
    auto shared = std::make_shared<Shared>(std::max(kSmallestBacklog, 4 * message_limit));
    shared->events = std::move(events);
    TESSERA_ASSIGN(auto stream, dial(shared->context, address, tls, options.connect_timeout, {}));
    shared->channel = std::make_shared<WebSocketChannel>(
        std::move(*stream),
        shared->outbox,
        WebSocketChannel::Options{message_limit, ping_interval},
        WebSocketChannel::Owner{
            .on_message =
                [shared = shared.get()](std::string message, bool binary) {
                    if (shared->events.on_message) {
                        shared->events.on_message(std::move(message), binary);
                    }
                    shared->channel->read();
                },
            .on_end =
                [shared = shared.get()](Error why) {
                    if (shared->events.on_closed) {
                        shared->events.on_closed(std::move(why));
                    }
                }}
    );
    if (auto agreed = agree(*shared, address, query, fields, options.connect_timeout); !agreed) {
        shared->events = {};
        shared->channel->abort(agreed.error());
        shared->context.restart();
        shared->context.run();
        return tl::unexpected(std::move(agreed).error());
    }
    shared->context.restart();
    return std::make_unique<RunningWebSocket>(std::move(shared));
}

}  // namespace tessera::http
