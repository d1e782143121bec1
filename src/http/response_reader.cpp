#include "http/response_reader.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <optional>
#include <utility>

namespace tessera::http {
namespace {

namespace beast = boost::beast;
using beast::string_view;
using ErrorCode = beast::error_code;
using BeastError = beast::http::error;

constexpr std::uint32_t kHeaderLimit = 64U << 10U;
constexpr std::size_t kLongestChunkLine = 8U << 10U;

std::string_view view(string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

class ResponseReader::Parser final : public beast::http::basic_parser<false> {
  public:
    Parser(bool is_to_head, const Sink& sink) : sink_(sink) {
        header_limit(kHeaderLimit);
        body_limit(boost::none);
        skip(is_to_head);
        eager(true);
    }

    Response response_;
    std::optional<Error> sink_error_;

  private:
    void on_request_impl(beast::http::verb, string_view, string_view, int /*version*/, ErrorCode&)
        override {}
    void on_response_impl(int code, string_view, int /*version*/, ErrorCode&) override {
        response_.status = code;
    }
    void on_field_impl(beast::http::field, string_view name, string_view value, ErrorCode&)
        override {
        if (!is_in_body_) {
            response_.fields.add(std::string(view(name)), std::string(view(value)));
        }
    }
    void on_header_impl(ErrorCode&) override { is_in_body_ = true; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
    std::size_t on_body_impl(string_view part, ErrorCode& error) override {
        if (auto taken = sink_(view(part)); !taken) {
            sink_error_ = std::move(taken).error();
            error = BeastError::body_limit;
        }
        return part.size();
    }
    void on_chunk_header_impl(std::uint64_t, string_view, ErrorCode&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view part, ErrorCode& error) override {
        return on_body_impl(part, error);
    }
    void on_finish_impl(ErrorCode&) override {}

    const Sink& sink_;
    bool is_in_body_ = false;
};

ResponseReader::ResponseReader(bool is_to_head, Sink sink)
    : is_to_head_(is_to_head),
      sink_(std::move(sink)),
      parser_(std::make_unique<Parser>(is_to_head_, sink_)) {}
ResponseReader::~ResponseReader() = default;

Result<std::size_t> ResponseReader::feed(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && !parser_->is_done()) {
        const auto rest = bytes.substr(used);
        ErrorCode error;
        used += parser_->put(boost::asio::buffer(rest.data(), rest.size()), error);
        if (error == BeastError::need_more) {
            const auto limit = parser_->is_header_done() ? kLongestChunkLine : kHeaderLimit;
            if (bytes.size() - used > limit) {
                return fail(ErrorKind::kUnavailable, "the server's answer has too long a line");
            }
            break;
        }
        if (error) {
            if (parser_->sink_error_) {
                return tl::unexpected(*std::move(parser_->sink_error_));
            }
            return fail(
                ErrorKind::kUnavailable, "the server's answer is not HTTP: {}", error.message()
            );
        }
        if (parser_->is_done() && parser_->response_.status == 100) {
            parser_ = std::make_unique<Parser>(is_to_head_, sink_);
        }
    }
    return used;
}

Status ResponseReader::end() {
    if (parser_->got_some() && !parser_->is_done()) {
        ErrorCode error;
        parser_->put_eof(error);
        if (!error) {
            return {};
        }
    }
    if (parser_->is_done()) {
        return {};
    }
    return parser_->got_some()
               ? fail(ErrorKind::kUnavailable, "the server's answer ends too early")
               : fail(ErrorKind::kUnavailable, "the server closes the connection unanswered");
}

bool ResponseReader::is_done() const {
    return parser_->is_done();
}

bool ResponseReader::keeps_alive() const {
    return parser_->keep_alive();
}

Response ResponseReader::take_response() {
    return std::move(parser_->response_);
}

}  // namespace tessera::http
