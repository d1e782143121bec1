#pragma once

#include "http/exchange.h"
#include "http/loop_internal.h"
#include "http/message_head.h"
#include "http/request_reader.h"
#include "http/server_state_internal.h"
#include "http/stream_internal.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tessera::http {

class WebSocketSession;

/// One client's connection: turn after turn, each a request and its answer. A read is always under
/// way while a turn's answer is awaited, so that a client's leaving is seen; what it sends
/// meanwhile waits in the inbox. Belongs to its loop's thread.
class Connection final : public Session, public std::enable_shared_from_this<Connection> {
  public:
    Connection(
        std::shared_ptr<ServerState> server,
        std::shared_ptr<Loop> loop,
        Stream stream,
        std::string peer
    );

    /// Joins the loop.
    void start();

    void tick(SteadyTime now) override;
    void drain() override;
    void close() override;

    // What a WayBack carries over. Nothing happens in another turn than the one meant.
    void respond(std::uint64_t turn, Response response);
    void begin_stream(std::uint64_t turn, Response head, std::shared_ptr<Outbox> outbox);
    void abandon(std::uint64_t turn);
    void wake(std::uint64_t turn);
    void proceed(std::uint64_t turn);
    void upgrade(std::uint64_t turn, const std::shared_ptr<WebSocketSession>& session);

  private:
    enum class Phase : std::uint8_t {
        kHandshake,  ///< of TLS
        kHead,       ///< between two requests, or in a request's head
        kJudging,    ///< the guards look at it, on the pool
        kBody,
        kAnswering,  ///< a handler has it
        kWriting,
        kStreaming,
        kLingering,  ///< all is sent; what the client still sends is thrown away
        kClosed,
    };

    // The way of a turn.
    void begin_turn();
    void advance();
    void advance_head();
    void advance_body();
    void meet_head();
    void judge(RouteMatch match, bool has_whole_body);
    void judge_upgrade(RouteMatch match);
    void hand_over();
    void fail_turn(int status, const std::string& message);
    void fail_for_memory();
    void answer(Response response);
    void end_turn();

    // Bytes.
    [[nodiscard]] bool wants_bytes() const;
    void read();
    void take_in(const ErrorCode& error, std::size_t count);
    void meet_end(bool is_clean);
    void feed();
    /// One write after the other: a second waits for the first.
    void write(std::vector<std::string> parts, std::function<void()> then);
    void begin_write(std::vector<std::string> parts, std::function<void()> then);
    void end_write(const ErrorCode& error, const std::function<void()>& then);
    void flush();
    void finish_stream();
    void hang_up();
    void linger();
    void observe() const;
    void meet_deadline();
    void expire_after(std::chrono::milliseconds time) {
        deadline_ = std::chrono::steady_clock::now() + time;
    }

    const std::shared_ptr<ServerState> server_;
    const std::shared_ptr<Loop> loop_;
    Stream stream_;
    const std::string peer_;
    std::optional<ConnectionCount> count_;

    Phase phase_ = Phase::kHandshake;
    std::optional<SteadyTime> deadline_;
    bool is_reading_ = false;
    bool has_ended_ = false;  ///< the client sends no more
    bool is_writing_ = false;
    bool is_draining_ = false;
    std::vector<char> scratch_;
    std::string inbox_;
    std::vector<std::string> outgoing_;
    std::deque<std::pair<std::vector<std::string>, std::function<void()>>> waiting_writes_;

    // Of the turn.
    std::uint64_t turn_ = 0;
    std::optional<RequestReader> reader_;
    bool has_begun_ = false;
    SteadyTime begun_;
    SteadyTime body_begun_;
    std::shared_ptr<Request> request_;
    BodyShare* body_share_ = nullptr;  ///< lives with the request
    const Route* route_ = nullptr;
    std::shared_ptr<ServerExchange> exchange_;  ///< until a handler has it
    std::shared_ptr<GoneSignal> gone_;
    bool keeps_alive_ = false;
    bool is_head_only_ = false;
    int status_ = 0;

    // Of a streamed answer.
    std::shared_ptr<Outbox> outbox_;
    bool is_chunked_ = false;
    bool is_event_stream_ = false;
    SteadyTime next_ping_;
};

}  // namespace tessera::http
