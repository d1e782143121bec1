// A turn from its answer's first byte to its last.
#include "http/connection_internal.h"

#include <netinet/tcp.h>

#include <utility>

namespace tessera::http {
namespace {

constexpr std::size_t kStreamBatch = 16U << 10U;
/// What the kernel may hold of a stream that is not on its way yet: the rest waits with us, where
/// a later state can still replace it.
constexpr int kUnsentLowWater = 16 << 10;

using std::chrono::steady_clock;

}  // namespace

void Connection::respond(std::uint64_t turn, Response response) {
    if (turn == turn_ && (phase_ == Phase::kJudging || phase_ == Phase::kAnswering)) {
        answer(std::move(response));
    }
}

void Connection::abandon(std::uint64_t turn) {
    if (turn == turn_ && (phase_ == Phase::kJudging || phase_ == Phase::kAnswering)) {
        answer(server_->routes->error(*request_, 500, "the server gave no answer"));
    }
}

void Connection::answer(Response response) {
    phase_ = Phase::kWriting;
    exchange_.reset();
    if (server_->routes->dress) {
        server_->routes->dress(*request_, response);
    }
    status_ = response.status;
    const bool has_read_all = reader_->phase() == RequestReader::Phase::kDone;
    keeps_alive_ = keeps_alive_ && has_read_all && !is_draining_ &&
                   !has_token(response.fields.get("Connection"), "close");
    const bool has_body =
        response.status >= 200 && response.status != 204 && response.status != 304;
    std::vector<std::string> parts;
    parts.push_back(format_response_head(
        response,
        has_body ? BodyFraming::kLength : BodyFraming::kNone,
        response.body.size(),
        keeps_alive_
    ));
    if (has_body && !is_head_only_) {
        parts.push_back(std::move(response.body));
    }
    write(std::move(parts), [this] { end_turn(); });
}

void Connection::begin_stream(std::uint64_t turn, Response head, std::shared_ptr<Outbox> outbox) {
    const bool can_begin =
        turn == turn_ && (phase_ == Phase::kJudging || phase_ == Phase::kAnswering);
    if (!can_begin) {
        outbox->close();
        return;
    }
    phase_ = Phase::kStreaming;
    exchange_.reset();
    if (server_->routes->dress) {
        server_->routes->dress(*request_, head);
    }
    status_ = head.status;
    outbox_ = std::move(outbox);
    is_chunked_ = !reader_->is_http_1_0();
    keeps_alive_ = keeps_alive_ && is_chunked_ && !is_draining_ &&
                   reader_->phase() == RequestReader::Phase::kDone;
    is_event_stream_ = head.fields.get("Content-Type").starts_with("text/event-stream");
    ErrorCode ignored;
    stream_.socket().set_option(
        asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>(kUnsentLowWater),
        ignored
    );
    next_ping_ = steady_clock::now() + server_->options.ping_interval;
    std::vector<std::string> parts{format_response_head(
        head, is_chunked_ ? BodyFraming::kChunked : BodyFraming::kUntilClose, 0, keeps_alive_
    )};
    if (is_head_only_) {
        outbox_->close();
        gone_->raise();  // nobody will read the stream
        write(std::move(parts), [this] { end_turn(); });
        return;
    }
    write(std::move(parts), [this] { flush(); });
    if (has_ended_ && phase_ == Phase::kStreaming) {
        close();
    }
}

void Connection::wake(std::uint64_t turn) {
    if (turn == turn_ && phase_ == Phase::kStreaming) {
        flush();
    }
}

void Connection::flush() {
    if (is_writing_ || phase_ != Phase::kStreaming) {
        return;
    }
    auto batch = outbox_->take(kStreamBatch);
    if (batch.empty()) {
        if (outbox_->is_at_end()) {
            finish_stream();
        }
        return;
    }
    std::vector<std::string> parts;
    parts.reserve(batch.size() * 2 + 1);
    for (auto& [bytes, is_binary, topic] : batch) {
        if (is_chunked_) {
            parts.push_back(fmt::format("{}{:x}\r\n", parts.empty() ? "" : "\r\n", bytes.size()));
        }
        parts.push_back(std::move(bytes));
    }
    if (is_chunked_) {
        parts.emplace_back("\r\n");
    }
    write(std::move(parts), [this] { flush(); });
}

void Connection::finish_stream() {
    std::vector<std::string> parts;
    if (is_chunked_) {
        parts.emplace_back("0\r\n\r\n");
    }
    write(std::move(parts), [this] { end_turn(); });
}

void Connection::end_turn() {
    gone_ ? gone_->retire() : void();
    outbox_.reset();
    observe();
    if (keeps_alive_) {
        begin_turn();
    } else {
        hang_up();
    }
}

void Connection::observe() const {
    if (server_->routes->observer) {
        server_->routes->observer(
            *request_,
            route_ == nullptr ? std::string_view() : std::string_view(route_->pattern),
            status_,
            std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begun_)
        );
    }
}

}  // namespace tessera::http
