// A turn from the first byte of its request until a handler has it.
#include "http/connection_internal.h"
#include "http/connection_way_back_internal.h"
#include "http/websocket_session_internal.h"

#include <algorithm>
#include <utility>

namespace tessera::http {
namespace {

constexpr std::size_t kBodyBytesPerSecond = 1U << 10U;
constexpr std::size_t kFreeBodyBytes = 64U << 10U;  ///< not counted
constexpr const char* kMemoryRetryAfter = "2";      ///< seconds

using std::chrono::steady_clock;

struct CountedRequest {
    Request request;
    BodyShare share;
};

/// What ends a request before its handler.
std::optional<Response> refusal(
    const ServerState& server, const Route* route, Request& request, const std::string& allow
) {
    if (server.routes->guard) {
        if (auto refused = server.routes->guard(request)) {
            return refused;
        }
    }
    if (route == nullptr) {
        const int status = allow.empty() ? 404 : 405;
        auto response = server.routes->error(
            request,
            status,
            status == 404 ? fmt::format("there is nothing at {}", request.path)
                          : fmt::format("{} is not done at {}", request.method, request.path)
        );
        if (status == 405) {
            response.fields.set("Allow", allow);
        }
        return response;
    }
    return route->options.before_body ? route->options.before_body(request) : std::nullopt;
}

}  // namespace

bool BodyShare::has_room_for(std::uint64_t bytes) const {
    return bytes <= kFreeBodyBytes ||
           state_->body_bytes + (bytes - kFreeBodyBytes) <= state_->options.body_memory;
}

bool BodyShare::grow_to(std::size_t bytes) {
    const std::size_t counted = bytes - std::min(bytes, kFreeBodyBytes);
    const std::size_t more = counted - std::min(counted, counted_);
    if (state_->body_bytes.fetch_add(more) + more > state_->options.body_memory) {
        state_->body_bytes -= more;
        return false;
    }
    counted_ += more;
    return true;
}

void Connection::begin_turn() {
    if (turn_ > 0) {
        expire_after(server_->options.idle_timeout);  // the first head's time runs already
    }
    ++turn_;
    reader_.emplace(RequestReader::Limits{
        server_->options.header_limit, server_->options.chunk_limit});
    has_begun_ = false;
    request_.reset();
    body_share_ = nullptr;
    route_ = nullptr;
    exchange_.reset();
    gone_.reset();
    is_head_only_ = false;
    status_ = 0;
    phase_ = Phase::kHead;
    if (is_draining_ && inbox_.empty()) {
        close();
        return;
    }
    advance();
}

void Connection::advance() {
    if (phase_ == Phase::kHead) {
        advance_head();
    } else if (phase_ == Phase::kBody) {
        advance_body();
    }
    read();
}

void Connection::feed() {
    inbox_.erase(0, reader_->feed(inbox_));
}

void Connection::advance_head() {
    if (!inbox_.empty()) {
        if (!has_begun_) {
            has_begun_ = true;
            begun_ = steady_clock::now();
            if (turn_ > 1) {
                expire_after(server_->options.header_timeout);
            }
        }
        feed();
    }
    switch (reader_->phase()) {
        case RequestReader::Phase::kHead:
            if (has_ended_) {
                close();
            }
            break;
        case RequestReader::Phase::kFailed:
            fail_turn(reader_->fault().status, reader_->fault().message);
            break;
        case RequestReader::Phase::kBody:
        case RequestReader::Phase::kDone:
            meet_head();
            break;
    }
}

void Connection::meet_head() {
    deadline_.reset();
    const std::shared_ptr<CountedRequest> counted(new CountedRequest{
        std::move(reader_->request()), BodyShare(server_)});
    request_ = {counted, &counted->request};
    body_share_ = &counted->share;
    request_->peer = peer_;
    request_->secure = stream_.tls() != nullptr;
    keeps_alive_ = reader_->keeps_alive();
    is_head_only_ = request_->method == "HEAD";
    gone_ = std::make_shared<GoneSignal>(server_->pool);

    auto match = server_->routes->match(request_->method, reader_->raw_path());
    route_ = match.route;
    request_->parameters = std::move(match.parameters);
    if (route_ != nullptr && route_->websocket) {
        judge_upgrade(std::move(match));
        return;
    }
    const auto limit = route_ == nullptr ? 0 : route_->options.body_limit;
    if (route_ != nullptr && reader_->content_length().value_or(0) > limit) {
        fail_turn(413, fmt::format("the body exceeds {} bytes", limit));
        return;
    }
    reader_->limit_body(limit);
    if (route_ != nullptr && reader_->phase() == RequestReader::Phase::kBody && !inbox_.empty()) {
        feed();
        if (reader_->phase() == RequestReader::Phase::kFailed) {
            fail_turn(reader_->fault().status, reader_->fault().message);
            return;
        }
    }
    judge(std::move(match), reader_->phase() == RequestReader::Phase::kDone);
}

void Connection::judge(RouteMatch match, bool has_whole_body) {
    phase_ = Phase::kJudging;
    auto way_back = std::make_shared<ConnectionWayBack>(loop_, weak_from_this(), turn_);
    auto exchange = std::make_shared<ServerExchange>(
        request_, std::move(way_back), gone_, server_->options.stream_backlog
    );
    auto body = has_whole_body ? reader_->take_body() : std::string();
    if (has_whole_body) {
        phase_ = Phase::kAnswering;
    } else {
        exchange_ = exchange;
    }
    server_->pool_of(match.route)
        .post([server = server_,
               route = match.route,
               allow = std::move(match.allow),
               exchange = std::move(exchange),
               has_whole_body,
               body = std::move(body)]() mutable {
            Request& request = exchange->editable_request();
            if (auto refused = refusal(*server, route, request, allow)) {
                exchange->respond(*std::move(refused));
            } else if (has_whole_body) {
                request.body = std::move(body);
                route->handler(std::move(exchange));
            } else {
                exchange->way_back().proceed();
            }
        });
}

void Connection::judge_upgrade(RouteMatch match) {
    if (const auto fault = upgrade_fault(*request_)) {
        auto response = server_->routes->error(*request_, fault->status, fault->message);
        if (fault->status == 426) {
            response.fields.set("Upgrade", "websocket");
            response.fields.set("Sec-WebSocket-Version", "13");
        }
        answer(std::move(response));
        return;
    }
    phase_ = Phase::kJudging;
    auto way_back = std::make_shared<ConnectionWayBack>(loop_, weak_from_this(), turn_);
    server_->socket_pool->post([server = server_,
                                loop = loop_,
                                request = request_,
                                route = match.route,
                                way_back = std::move(way_back)] {
        if (auto refused = refusal(*server, route, *request, {})) {
            way_back->respond(*std::move(refused));
            return;
        }
        auto session = std::make_shared<WebSocketSession>(server, loop, *route);
        auto events = route->websocket(*request, session->socket());
        if (events) {
            session->listen(*std::move(events));
            way_back->upgrade(std::move(session));
        } else {
            const Error& error = events.error();
            way_back->respond(server->routes->error(*request, status_of(error.kind), error.message)
            );
        }
    });
}

void Connection::upgrade(std::uint64_t turn, const std::shared_ptr<WebSocketSession>& session) {
    if (turn != turn_ || phase_ != Phase::kJudging) {
        session->close();
        return;
    }
    status_ = 101;
    observe();
    const auto self = shared_from_this();
    phase_ = Phase::kClosed;
    deadline_.reset();
    stream_.put_back(std::move(inbox_));
    session->start(std::move(stream_), *std::move(count_), *request_);
    count_.reset();
    loop_->remove(*this);  // last: the loop never seems empty meanwhile
}

void Connection::proceed(std::uint64_t turn) {
    if (turn != turn_ || phase_ != Phase::kJudging) {
        return;
    }
    phase_ = Phase::kBody;
    body_begun_ = steady_clock::now();
    if (!body_share_->has_room_for(reader_->content_length().value_or(0))) {
        fail_for_memory();
        return;
    }
    expire_after(server_->options.body_timeout);
    const bool nothing_came = reader_->body_bytes() == 0 && inbox_.empty();
    if (reader_->expects_continue() && nothing_came) {
        write({"HTTP/1.1 100 Continue\r\n\r\n"}, [] {});
    }
    advance();
}

void Connection::advance_body() {
    if (!inbox_.empty()) {
        feed();
    }
    if (!body_share_->grow_to(reader_->body_bytes())) {
        fail_for_memory();
        return;
    }
    switch (reader_->phase()) {
        case RequestReader::Phase::kDone:
            hand_over();
            return;
        case RequestReader::Phase::kFailed:
            fail_turn(reader_->fault().status, reader_->fault().message);
            return;
        default:
            break;
    }
    if (has_ended_) {
        fail_turn(400, "the body ends before its length");
        return;
    }
    const auto now = steady_clock::now();
    const auto by_rate =
        body_begun_ + server_->options.body_timeout +
        std::chrono::milliseconds(reader_->body_bytes() * 1000 / kBodyBytesPerSecond);
    deadline_ = std::min(by_rate, now + server_->options.body_timeout);
}

void Connection::hand_over() {
    phase_ = Phase::kAnswering;
    deadline_.reset();
    request_->body = reader_->take_body();
    inbox_.shrink_to_fit();
    server_->pool_of(route_).post(
        [route = route_, server = server_, exchange = std::exchange(exchange_, nullptr)]() mutable {
            route->handler(std::move(exchange));
        }
    );
}

void Connection::fail_turn(int status, const std::string& message) {
    if (!request_) {
        request_ = std::make_shared<Request>(std::move(reader_->request()));
        request_->peer = peer_;
    }
    keeps_alive_ = false;
    answer(server_->routes->error(*request_, status, message));
}

void Connection::fail_for_memory() {
    keeps_alive_ = false;
    static_cast<void>(reader_->take_body());
    body_share_->give_back();
    auto response = server_->routes->error(
        *request_, 503, "too many large requests are under way; try again in a moment"
    );
    response.fields.set("Retry-After", kMemoryRetryAfter);
    answer(std::move(response));
}

}  // namespace tessera::http
