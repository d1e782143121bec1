#include "http/exchange.h"

#include <utility>

namespace tessera::http {
namespace {

class ServerStream final : public ResponseStream {
  public:
    ServerStream(
        std::shared_ptr<Outbox> outbox,
        std::shared_ptr<WayBack> way_back,
        std::shared_ptr<GoneSignal> gone
    )
        : outbox_(std::move(outbox)), way_back_(std::move(way_back)), gone_(std::move(gone)) {}
    ~ServerStream() override { end(); }
    ServerStream(const ServerStream&) = delete;
    ServerStream& operator=(const ServerStream&) = delete;

    bool send(std::string part) override {
        // An empty chunk would end the answer.
        return part.empty() || was_queued(outbox_->put({.bytes = std::move(part)}));
    }
    bool send_latest(std::string_view topic, std::string part) override {
        return part.empty() ||
               was_queued(outbox_->put_latest(
                   {.bytes = std::move(part), .is_binary = false, .topic = std::string(topic)}
               ));
    }
    void finish() override { end(); }
    void on_gone(std::function<void()> gone) override { gone_->listen(std::move(gone)); }

  private:
    bool was_queued(Outbox::Offer offer) {
        if (offer == Outbox::Offer::kWake) {
            way_back_->wake();
        }
        return offer != Outbox::Offer::kRefused;
    }
    void end() {
        if (outbox_->finish()) {
            way_back_->wake();
        }
    }

    const std::shared_ptr<Outbox> outbox_;
    const std::shared_ptr<WayBack> way_back_;
    const std::shared_ptr<GoneSignal> gone_;
};

}  // namespace

void GoneSignal::listen(std::function<void()> gone) {
    std::function<void()> old;  // destroyed outside the lock: it may hold the exchange
    const std::scoped_lock lock(mutex_);
    if (state_ == State::kOpen) {
        old = std::exchange(listener_, std::move(gone));
    } else if (state_ == State::kGone) {
        pool_->post(std::move(gone));
    }
}

void GoneSignal::raise() {
    const std::scoped_lock lock(mutex_);
    if (state_ != State::kOpen) {
        return;
    }
    state_ = State::kGone;
    if (auto listener = std::exchange(listener_, nullptr)) {
        pool_->post(std::move(listener));
    }
}

void GoneSignal::retire() {
    std::function<void()> old;
    const std::scoped_lock lock(mutex_);
    state_ = State::kRetired;
    old = std::exchange(listener_, nullptr);
}

ServerExchange::ServerExchange(
    std::shared_ptr<Request> request,
    std::shared_ptr<WayBack> way_back,
    std::shared_ptr<GoneSignal> gone,
    std::size_t stream_backlog
)
    : request_(std::move(request)),
      way_back_(std::move(way_back)),
      gone_(std::move(gone)),
      stream_backlog_(stream_backlog) {}

ServerExchange::~ServerExchange() {
    if (!is_answered_) {
        way_back_->abandon();
    }
}

void ServerExchange::respond(Response response) {
    if (!is_answered_.exchange(true)) {
        way_back_->respond(std::move(response));
    }
}

std::shared_ptr<ResponseStream> ServerExchange::stream(Response head) {
    auto outbox = std::make_shared<Outbox>(stream_backlog_);
    if (is_answered_.exchange(true)) {
        outbox->close();
    } else {
        way_back_->begin_stream(std::move(head), outbox);
    }
    return std::make_shared<ServerStream>(std::move(outbox), way_back_, gone_);
}

}  // namespace tessera::http
