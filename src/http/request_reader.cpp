#include "http/request_reader.h"

#include "http/target.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <utility>

namespace tessera::http {
namespace {

namespace beast = boost::beast;
using beast::string_view;
using ErrorCode = beast::error_code;
using BeastError = beast::http::error;

constexpr std::size_t kReserveAtMost = 1U << 20U;
constexpr std::size_t kLongestChunkLine = 4U << 10U;
constexpr std::size_t kMostEmptyLines = 8;
/// "0\r\n\r\n": all that is left of a chunked body that has not ended is at least as long. Beast
/// asserts this when it is shown the last chunk a second time.
constexpr std::size_t kShortestChunkedRest = 5;

std::string_view view(string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

/// Beast's parser with our limits and rules; it checks syntax, we check sense.
class RequestReader::Parser final : public beast::http::basic_parser<true> {
  public:
    explicit Parser(const Limits& limits) : limits_(limits) {
        header_limit(static_cast<std::uint32_t>(limits.header_bytes));
        body_limit(boost::none);
    }

    std::size_t feed(std::string_view bytes);
    void fail_with(int status, std::string message) {
        phase_ = Phase::kFailed;
        fault_ = {status, std::move(message)};
    }

    Phase phase_ = Phase::kHead;
    RequestFault fault_;
    Request request_;
    std::string raw_path_;
    std::string body_;
    std::size_t body_limit_ = 0;
    bool is_http_1_0_ = false;
    bool expects_continue_ = false;

  private:
    void on_request_impl(
        beast::http::verb /*method*/,
        string_view method,
        string_view target,
        int version,
        ErrorCode& /*error*/
    ) override {
        request_.method = view(method);
        request_.target = view(target);
        is_http_1_0_ = version < 11;
    }
    void on_response_impl(int /*code*/, string_view, int /*version*/, ErrorCode&) override {}
    void on_field_impl(
        beast::http::field field, string_view name, string_view value, ErrorCode& error
    ) override;
    void on_header_impl(ErrorCode& error) override;
    void on_body_init_impl(
        const boost::optional<std::uint64_t>& length, ErrorCode& /*error*/
    ) override {
        body_.reserve(std::min<std::uint64_t>(length.value_or(0), kReserveAtMost));
    }
    std::size_t on_body_impl(string_view part, ErrorCode& error) override {
        if (part.size() > body_limit_ - body_.size()) {
            error = BeastError::body_limit;
            return 0;
        }
        body_.append(part.data(), part.size());
        return part.size();
    }
    void on_chunk_header_impl(std::uint64_t size, string_view, ErrorCode& error) override {
        if (++chunks_ > limits_.chunks) {
            refuse(400, fmt::format("the body has more than {} chunks", limits_.chunks), error);
        } else if (size > body_limit_ - body_.size()) {
            error = BeastError::body_limit;
        }
    }
    std::size_t on_chunk_body_impl(std::uint64_t, string_view part, ErrorCode& error) override {
        return on_body_impl(part, error);
    }
    void on_finish_impl(ErrorCode& /*error*/) override {}

    /// Ends parsing with our own words.
    void refuse(int status, std::string message, ErrorCode& error) {
        fail_with(status, std::move(message));
        error = BeastError::end_of_stream;
    }
    void explain(const ErrorCode& error, std::string_view rest = {});
    /// What is not used must not grow without end: a line of a head or of a chunk.
    void check_rest(std::size_t rest);
    std::size_t skip_empty_lines(std::string_view bytes);

    const Limits limits_;
    std::size_t header_bytes_ = 0;
    std::size_t chunks_ = 0;
    std::size_t hosts_ = 0;
    std::size_t lengths_ = 0;
    std::size_t empty_lines_ = 0;
    bool wants_more_ = false;  ///< of the body than it was last shown
};

void RequestReader::Parser::on_field_impl(
    beast::http::field field, string_view name, string_view value, ErrorCode& error
) {
    if (phase_ != Phase::kHead) {
        return;  // trailers mean nothing to us
    }
    switch (field) {
        case beast::http::field::host:
            ++hosts_;
            break;
        case beast::http::field::content_length:
            if (++lengths_ > 1 || value.find(',') != string_view::npos) {
                return refuse(400, "more than one Content-Length", error);
            }
            break;
        case beast::http::field::transfer_encoding:
            if (is_http_1_0_) {
                return refuse(400, "HTTP/1.0 has no Transfer-Encoding", error);
            }
            if (!equal_without_case(view(value), "chunked")) {
                return refuse(501, "the only Transfer-Encoding done here is chunked", error);
            }
            break;
        case beast::http::field::expect:
            if (!equal_without_case(view(value), "100-continue")) {
                return refuse(417, "the only Expect done here is 100-continue", error);
            }
            expects_continue_ = !is_http_1_0_;
            break;
        default:
            break;
    }
    request_.fields.add(std::string(view(name)), std::string(view(value)));
}

void RequestReader::Parser::on_header_impl(ErrorCode& error) {
    if (hosts_ > 1 || (hosts_ == 0 && !is_http_1_0_)) {
        return refuse(400, "a request needs one Host field", error);
    }
    auto target = http::parse_target(request_.target);
    if (!target) {
        return refuse(400, std::move(target).error().message, error);
    }
    request_.path = std::move(target->path);
    request_.query = std::move(target->query);
    raw_path_ = std::move(target->raw_path);
}

void RequestReader::Parser::explain(const ErrorCode& error, std::string_view rest) {
    if (phase_ == Phase::kFailed) {
        return;
    }
    if (error == BeastError::header_limit) {
        return fail_with(
            431, fmt::format("the request's head exceeds {} bytes", limits_.header_bytes)
        );
    }
    if (error == BeastError::body_limit) {
        return fail_with(413, fmt::format("the body exceeds {} bytes", body_limit_));
    }
    const bool is_version_spoken = rest.find(" HTTP/1.") != std::string_view::npos;
    if (error == BeastError::bad_version && !is_version_spoken) {
        return fail_with(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    }
    if (error == BeastError::bad_content_length || error == BeastError::bad_transfer_encoding ||
        error == BeastError::multiple_content_length) {
        return fail_with(400, "the request contradicts itself about the length of its body");
    }
    fail_with(400, fmt::format("not an HTTP request: {}", error.message()));
}

void RequestReader::Parser::check_rest(std::size_t rest) {
    if (phase_ == Phase::kHead && header_bytes_ + rest >= limits_.header_bytes) {
        explain(BeastError::header_limit);
    } else if (phase_ == Phase::kBody && rest > std::max(kLongestChunkLine, std::size_t{1})) {
        fail_with(400, "a chunk of the body begins with too long a line");
    }
}

std::size_t RequestReader::Parser::skip_empty_lines(std::string_view bytes) {
    std::size_t used = 0;
    while (!got_some() && bytes.substr(used).starts_with("\r\n") && empty_lines_ < kMostEmptyLines
    ) {
        ++empty_lines_;
        used += 2;
    }
    return used;
}

std::size_t RequestReader::Parser::feed(std::string_view bytes) {
    std::size_t used = skip_empty_lines(bytes);
    if (!got_some() && bytes.substr(used) == "\r") {
        return used;
    }
    while (used < bytes.size() && (phase_ == Phase::kHead || phase_ == Phase::kBody)) {
        const auto rest = bytes.substr(used);
        if (wants_more_ && chunked() && rest.size() < kShortestChunkedRest) {
            break;
        }
        ErrorCode error;
        const auto count = put(boost::asio::buffer(rest.data(), rest.size()), error);
        used += count;
        header_bytes_ += phase_ == Phase::kHead ? count : 0;
        wants_more_ = phase_ == Phase::kBody && error == BeastError::need_more;
        if (error == BeastError::need_more) {
            check_rest(bytes.size() - used);
            break;
        }
        if (error) {
            explain(error, rest);
            break;
        }
        if (phase_ == Phase::kHead && is_header_done()) {
            if (header_bytes_ > limits_.header_bytes) {
                explain(BeastError::header_limit);
                break;
            }
            phase_ = is_done() ? Phase::kDone : Phase::kBody;
            break;
        }
        if (is_done()) {
            phase_ = Phase::kDone;
        }
    }
    return used;
}

RequestReader::RequestReader(const Limits& limits) : parser_(std::make_unique<Parser>(limits)) {}
RequestReader::~RequestReader() = default;

std::size_t RequestReader::feed(std::string_view bytes) {
    return parser_->feed(bytes);
}
RequestReader::Phase RequestReader::phase() const {
    return parser_->phase_;
}
const RequestFault& RequestReader::fault() const {
    return parser_->fault_;
}
Request& RequestReader::request() {
    return parser_->request_;
}
const std::string& RequestReader::raw_path() const {
    return parser_->raw_path_;
}
bool RequestReader::keeps_alive() const {
    return parser_->keep_alive();
}
bool RequestReader::is_http_1_0() const {
    return parser_->is_http_1_0_;
}
bool RequestReader::expects_continue() const {
    return parser_->expects_continue_;
}
std::optional<std::uint64_t> RequestReader::content_length() const {
    const auto length = parser_->content_length();
    return length ? std::optional(*length) : std::nullopt;
}
void RequestReader::limit_body(std::size_t bytes) {
    parser_->body_limit_ = bytes;
}
std::string RequestReader::take_body() {
    return std::move(parser_->body_);
}
std::size_t RequestReader::body_bytes() const {
    return parser_->body_.size();
}

}  // namespace tessera::http
