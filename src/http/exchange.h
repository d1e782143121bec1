#pragma once

#include "http/handler_pool.h"
#include "http/outbox.h"
#include "http/server.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

namespace tessera::http {

/// What a connection can be asked during one turn (a request and its answer). Each call is carried
/// over to the connection's thread, and is nothing once the turn, the connection or the server is
/// over. Thread-safe.
class WayBack {
  public:
    virtual ~WayBack() = default;
    virtual void respond(Response response) = 0;
    virtual void begin_stream(Response head, std::shared_ptr<Outbox> outbox) = 0;
    /// Nobody will answer.
    virtual void abandon() = 0;
    /// The outbox has something again.
    virtual void wake() = 0;
    /// The guards agree: read the body.
    virtual void proceed() = 0;
};

/// Tells a handler, once, that its client has gone. Thread-safe.
class GoneSignal {
  public:
    explicit GoneSignal(std::shared_ptr<HandlerPool> pool) : pool_(std::move(pool)) {}

    void listen(std::function<void()> gone);
    void raise();
    /// The answer is whole: nobody is told any more.
    void retire();

  private:
    enum class State : std::uint8_t { kOpen, kGone, kRetired };

    const std::shared_ptr<HandlerPool> pool_;
    std::mutex mutex_;
    State state_ = State::kOpen;
    std::function<void()> listener_;
};

class ServerExchange final : public Exchange {
  public:
    ServerExchange(
        std::shared_ptr<Request> request,
        std::shared_ptr<WayBack> way_back,
        std::shared_ptr<GoneSignal> gone,
        std::size_t stream_backlog
    );
    /// A 500 if nothing was answered.
    ~ServerExchange() override;
    ServerExchange(const ServerExchange&) = delete;
    ServerExchange& operator=(const ServerExchange&) = delete;

    [[nodiscard]] const Request& request() const override { return *request_; }
    void respond(Response response) override;
    [[nodiscard]] std::shared_ptr<ResponseStream> stream(Response head) override;
    void on_gone(std::function<void()> gone) override { gone_->listen(std::move(gone)); }

    /// For the guards, before any handler has it.
    [[nodiscard]] Request& editable_request() { return *request_; }
    [[nodiscard]] WayBack& way_back() { return *way_back_; }

  private:
    const std::shared_ptr<Request> request_;
    const std::shared_ptr<WayBack> way_back_;
    const std::shared_ptr<GoneSignal> gone_;
    const std::size_t stream_backlog_;
    std::atomic<bool> is_answered_ = false;
};

}  // namespace tessera::http
