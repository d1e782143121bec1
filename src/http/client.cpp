#include "http/client.h"

#include "http/dial_internal.h"
#include "http/message_head.h"
#include "http/response_reader.h"
#include "http/tls_internal.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace tessera::http {
namespace {

constexpr std::size_t kReadAtOnce = 32U << 10U;

/// May be sent twice without harm.
bool is_repeatable(const Request& request) {
    for (const std::string_view method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}) {
        if (request.method == method) {
            return true;
        }
    }
    return request.fields.has("Idempotency-Key");
}

}  // namespace

struct Client::State {
    Url url;
    ClientOptions options;
    TlsContext tls;
    asio::io_context context{1};
    std::unique_ptr<Stream> stream;
    std::vector<char> scratch = std::vector<char>(kReadAtOnce);
    bool has_heard = false;  ///< a byte of the answer to the present request

    /// Waits for one operation on the stream; a stream whose operation does not end is dropped.
    template <class Start>
    Result<std::size_t> perform(const std::stop_token& stop, Start start);

    Result<Response> exchange(
        const Request& request, const ResponseReader::Sink& sink, const std::stop_token& stop
    );
    Result<Response> attempt(
        const std::string& head,
        const Request& request,
        const ResponseReader::Sink& sink,
        const std::stop_token& stop
    );
    Status write(const std::string& head, const std::string& body, const std::stop_token& stop);
    Status read(ResponseReader& reader, const std::stop_token& stop);
    [[nodiscard]] bool is_kept_open() const;
};

template <class Start>
Result<std::size_t> Client::State::perform(const std::stop_token& stop, Start start) {
    const auto ended = std::make_shared<Ended>();
    start([ended](const ErrorCode& error, std::size_t count) { (*ended)(error, count); });
    if (auto waited = wait_for(context, ended, options.idle_timeout, stop); !waited) {
        abandon(context, *stream, ended);
        stream.reset();
        return tl::unexpected(std::move(waited).error());
    }
    if (ended->error == asio::error::eof || ended->error == asio::ssl::error::stream_truncated) {
        return std::size_t{0};
    }
    if (ended->error) {
        stream.reset();
        return fail(
            ErrorKind::kUnavailable,
            "the connection with {} broke: {}",
            url.authority(),
            ended->error.message()
        );
    }
    return ended->count;
}

/// Whether the server has not closed a connection that was kept; bytes nobody asked for count as
/// that too.
bool Client::State::is_kept_open() const {
    std::array<char, 1> byte{};
    ErrorCode error;
    stream->socket().non_blocking(true, error);
    stream->socket().receive(asio::buffer(byte), asio::socket_base::message_peek, error);
    return error == asio::error::would_block;
}

Status Client::State::write(
    const std::string& head, const std::string& body, const std::stop_token& stop
) {
    std::size_t sent = 0;
    while (sent < head.size() + body.size()) {
        const std::array<asio::const_buffer, 2> rest{
            asio::buffer(head) + sent,
            asio::buffer(body) + (sent > head.size() ? sent - head.size() : 0)};
        TESSERA_ASSIGN(const auto count, perform(stop, [&](auto handler) {
                           stream->async_write_some(rest, std::move(handler));
                       }));
        sent += count;
    }
    return {};
}

Status Client::State::read(ResponseReader& reader, const std::stop_token& stop) {
    std::string inbox;
    while (!reader.is_done()) {
        TESSERA_ASSIGN(const auto count, perform(stop, [&](auto handler) {
                           stream->async_read_some(asio::buffer(scratch), std::move(handler));
                       }));
        if (count == 0) {
            stream.reset();
            return reader.end();
        }
        has_heard = true;
        inbox.append(scratch.data(), count);
        TESSERA_ASSIGN(const auto used, reader.feed(inbox));
        inbox.erase(0, used);
    }
    if (!inbox.empty()) {
        stream.reset();
    }
    return {};
}

Result<Response> Client::State::attempt(
    const std::string& head,
    const Request& request,
    const ResponseReader::Sink& sink,
    const std::stop_token& stop
) {
    has_heard = false;
    if (!stream) {
        TESSERA_ASSIGN(stream, dial(context, url, tls, options.connect_timeout, stop));
    }
    ResponseReader reader(request.method == "HEAD", sink);
    TESSERA_TRY(write(head, request.body, stop));
    TESSERA_TRY(read(reader, stop));
    if (!reader.keeps_alive()) {
        stream.reset();
    }
    return reader.take_response();
}

Result<Response> Client::State::exchange(
    const Request& request, const ResponseReader::Sink& sink, const std::stop_token& stop
) {
    TESSERA_ASSIGN(
        const auto head, format_request_head(request, url.authority(), url.path + request.target)
    );
    if (stream && !is_kept_open()) {
        stream.reset();
    }
    const bool is_kept = stream != nullptr;
    auto response = attempt(head, request, sink, stop);
    if (!response) {
        stream.reset();
        const bool may_be_stale = is_kept && !has_heard && is_repeatable(request) &&
                                  response.error().kind == ErrorKind::kUnavailable;
        if (may_be_stale) {
            response = attempt(head, request, sink, stop);
        }
    }
    if (!response) {
        stream.reset();
    }
    return response;
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Client> Client::open(std::string_view base_url, ClientOptions options) {
    auto state = std::make_unique<State>();
    TESSERA_ASSIGN(state->url, parse_url(base_url));
    if (state->url.is_secure) {
        TESSERA_ASSIGN(state->tls, client_tls(options.authorities));
    }
    state->options = std::move(options);
    return Client(std::move(state));
}

Result<Response> Client::send(const Request& request, std::stop_token stop) {
    std::string body;
    const auto limit = state_->options.body_limit;
    TESSERA_ASSIGN(
        auto response,
        state_->exchange(
            request,
            [&](std::string_view part) -> Status {
                if (part.size() > limit - body.size()) {
                    return fail(
                        ErrorKind::kExhausted, "the server's answer exceeds {} bytes", limit
                    );
                }
                body += part;
                return {};
            },
            stop
        )
    );
    response.body = std::move(body);
    return response;
}

Result<Response> Client::stream(
    const Request& request,
    const std::function<bool(std::string_view part)>& each,
    std::stop_token stop
) {
    return state_->exchange(
        request,
        [&](std::string_view part) -> Status {
            if (!each(part)) {
                return fail(ErrorKind::kCancelled, "the request was cancelled");
            }
            return {};
        },
        stop
    );
}

}  // namespace tessera::http
