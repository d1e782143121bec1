// A connection's life: its bytes in both directions, its deadlines, its end.
#include "http/connection_internal.h"

#include <boost/asio/write.hpp>

#include <algorithm>
#include <utility>

namespace tessera::http {
namespace {

constexpr std::size_t kScratch = 4U << 10U;
constexpr std::size_t kBodyScratch = 64U << 10U;
constexpr std::size_t kInboxLimit = 64U << 10U;
constexpr std::size_t kWriteAtOnce = 1U << 20U;
constexpr std::chrono::milliseconds kLingerTime{2'000};

using std::chrono::steady_clock;

}  // namespace

Connection::Connection(
    std::shared_ptr<ServerState> server, std::shared_ptr<Loop> loop, Stream stream, std::string peer
)
    : server_(std::move(server)),
      loop_(std::move(loop)),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      count_(server_),
      scratch_(kScratch) {}

void Connection::start() {
    loop_->add(shared_from_this());
    if (phase_ == Phase::kClosed) {
        return;
    }
    expire_after(server_->options.header_timeout);
    ErrorCode ignored;
    stream_.socket().set_option(Tcp::no_delay(true), ignored);
    if (stream_.tls() == nullptr) {
        begin_turn();
        return;
    }
    stream_.tls()->async_handshake(
        asio::ssl::stream_base::server,
        [self = shared_from_this()](const ErrorCode& error) {
            if (self->phase_ == Phase::kClosed) {
                return;
            }
            if (error) {
                self->close();
            } else {
                self->begin_turn();
            }
        }
    );
}

bool Connection::wants_bytes() const {
    switch (phase_) {
        case Phase::kHandshake:
        case Phase::kLingering:
        case Phase::kClosed:
            return false;
        case Phase::kHead:
        case Phase::kBody:
            return true;
        case Phase::kJudging:
            // The stream of an upgrade is given away: no read may be under way then.
            return (route_ == nullptr || !route_->websocket) && inbox_.size() < kInboxLimit;
        default:
            return inbox_.size() < kInboxLimit;
    }
}

void Connection::read() {
    if (is_reading_ || has_ended_ || !wants_bytes()) {
        return;
    }
    is_reading_ = true;
    const auto size = phase_ == Phase::kBody ? kBodyScratch : kScratch;
    if (scratch_.size() != size) {
        scratch_ = std::vector<char>(size);
    }
    stream_.async_read_some(
        asio::buffer(scratch_),
        [self = shared_from_this()](const ErrorCode& error, std::size_t count) {
            self->is_reading_ = false;
            self->take_in(error, count);
        }
    );
}

void Connection::take_in(const ErrorCode& error, std::size_t count) {
    if (phase_ == Phase::kClosed) {
        return;
    }
    if (error) {
        meet_end(error == asio::error::eof);
        return;
    }
    if (phase_ == Phase::kLingering) {
        return;
    }
    inbox_.append(scratch_.data(), count);
    advance();
}

void Connection::meet_end(bool is_clean) {
    has_ended_ = true;
    if (phase_ == Phase::kHead || phase_ == Phase::kBody) {
        is_clean ? advance() : close();
        return;
    }
    if (!is_clean || phase_ == Phase::kLingering || phase_ == Phase::kStreaming) {
        close();
        return;
    }
    // It may only have shut its sending side: an answer is still written.
    if (gone_) {
        gone_->raise();
    }
}

void Connection::write(std::vector<std::string> parts, std::function<void()> then) {
    if (is_writing_) {
        waiting_writes_.emplace_back(std::move(parts), std::move(then));
    } else {
        begin_write(std::move(parts), std::move(then));
    }
}

void Connection::begin_write(std::vector<std::string> parts, std::function<void()> then) {
    is_writing_ = true;
    outgoing_ = std::move(parts);
    std::vector<asio::const_buffer> buffers;
    buffers.reserve(outgoing_.size());
    for (const std::string& part : outgoing_) {
        buffers.emplace_back(part.data(), part.size());
    }
    if (phase_ != Phase::kBody) {
        expire_after(server_->options.idle_timeout);
    }
    asio::async_write(
        stream_,
        buffers,
        [self = shared_from_this()](const ErrorCode& error, std::size_t sent) -> std::size_t {
            if (!error && sent > 0 && self->phase_ != Phase::kBody) {
                self->expire_after(self->server_->options.idle_timeout);
            }
            return error ? 0 : kWriteAtOnce;
        },
        [self = shared_from_this(),
         then = std::move(then)](const ErrorCode& error, std::size_t /*sent*/) {
            self->end_write(error, then);
        }
    );
}

void Connection::end_write(const ErrorCode& error, const std::function<void()>& then) {
    is_writing_ = false;
    outgoing_.clear();
    if (phase_ == Phase::kClosed) {
        return;
    }
    if (error) {
        close();
        return;
    }
    if (phase_ == Phase::kStreaming) {
        deadline_.reset();
        next_ping_ = steady_clock::now() + server_->options.ping_interval;
    }
    then();
    if (!is_writing_ && !waiting_writes_.empty()) {
        auto [parts, after] = std::move(waiting_writes_.front());
        waiting_writes_.pop_front();
        begin_write(std::move(parts), std::move(after));
    }
}

void Connection::hang_up() {
    const bool is_quiet = reader_->phase() == RequestReader::Phase::kDone && inbox_.empty();
    phase_ = Phase::kLingering;
    inbox_.clear();
    expire_after(std::min(kLingerTime, server_->options.body_timeout));
    if (Stream::Tls* tls = stream_.tls()) {
        tls->async_shutdown([self = shared_from_this(), is_quiet](const ErrorCode&) {
            if (self->phase_ == Phase::kLingering) {
                is_quiet ? self->close() : self->linger();
            }
        });
    } else if (is_quiet || has_ended_) {
        close();
    } else {
        linger();
    }
}

/// To close with bytes unread would reset the connection, and the answer might never be seen.
void Connection::linger() {
    ErrorCode ignored;
    stream_.socket().shutdown(Tcp::socket::shutdown_send, ignored);
    stream_.socket().async_read_some(
        asio::buffer(scratch_),
        [self = shared_from_this()](const ErrorCode& error, std::size_t /*count*/) {
            if (self->phase_ == Phase::kLingering) {
                error ? self->close() : self->linger();
            }
        }
    );
}

void Connection::tick(SteadyTime now) {
    if (deadline_ && now >= *deadline_) {
        meet_deadline();
    } else if (phase_ == Phase::kStreaming && is_event_stream_ && !is_writing_ && now >= next_ping_) {
        std::vector<std::string> parts{is_chunked_ ? "3\r\n:\n\n\r\n" : ":\n\n"};
        write(std::move(parts), [this] { flush(); });
    }
}

void Connection::meet_deadline() {
    deadline_.reset();
    if (phase_ == Phase::kHead && has_begun_) {
        fail_turn(408, "the request's head took too long");
    } else if (phase_ == Phase::kBody) {
        fail_turn(408, "the request's body came too slowly");
    } else {
        close();
    }
}

void Connection::drain() {
    is_draining_ = true;
    const bool is_idle = phase_ == Phase::kHead && !has_begun_;
    if (is_idle || phase_ == Phase::kHandshake) {
        close();
    }
}

void Connection::close() {
    if (phase_ == Phase::kClosed) {
        return;
    }
    const auto self = shared_from_this();
    const bool was_answering = phase_ == Phase::kWriting || phase_ == Phase::kStreaming;
    phase_ = Phase::kClosed;
    deadline_.reset();
    if (outbox_) {
        outbox_->close();
    }
    if (gone_) {
        gone_->raise();
    }
    if (was_answering) {
        observe();
    }
    exchange_.reset();
    stream_.close();
    count_.reset();
    loop_->remove(*this);
}

}  // namespace tessera::http
