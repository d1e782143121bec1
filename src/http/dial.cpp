#include "http/dial_internal.h"
#include "http/tls_internal.h"

#include <boost/asio/connect.hpp>

#include <utility>
#include <vector>

namespace tessera::http {
namespace {

using Resolver = asio::ip::basic_resolver<Tcp, asio::io_context::executor_type>;

/// Addresses in numbers need no resolver, whose thread cannot be stopped.
Result<std::vector<Tcp::endpoint>> find_server(
    asio::io_context& context,
    const Url& url,
    std::chrono::milliseconds timeout,
    const std::stop_token& stop
) {
    ErrorCode is_name;
    const auto address = asio::ip::make_address(url.host, is_name);
    if (!is_name) {
        return std::vector{Tcp::endpoint(address, url.port)};
    }
    struct Found : Ended {
        std::vector<Tcp::endpoint> endpoints;
    };
    auto found = std::make_shared<Found>();
    Resolver resolver(context);
    resolver.async_resolve(
        url.host,
        std::to_string(url.port),
        [found](const ErrorCode& error, const Resolver::results_type& results) {
            found->is_done = true;
            found->error = error;
            for (const auto& entry : results) {
                found->endpoints.push_back(entry.endpoint());
            }
        }
    );
    TESSERA_TRY(wait_for(context, found, timeout, stop));
    if (found->error) {
        return fail(
            ErrorKind::kUnavailable, "no address for {}: {}", url.host, found->error.message()
        );
    }
    return std::move(found->endpoints);
}

Status shake_hands(
    asio::io_context& context,
    Stream& stream,
    const Url& url,
    std::chrono::milliseconds timeout,
    const std::stop_token& stop
) {
    TESSERA_TRY(expect_host(stream, url.host));
    const auto ended = std::make_shared<Ended>();
    stream.tls()->async_handshake(asio::ssl::stream_base::client, [ended](const ErrorCode& error) {
        (*ended)(error);
    });
    if (auto waited = wait_for(context, ended, timeout, stop); !waited) {
        abandon(context, stream, ended);
        return waited;
    }
    if (ended->error) {
        return fail(
            ErrorKind::kUnavailable,
            "no safe connection with {}: {}",
            url.authority(),
            ended->error.message()
        );
    }
    return {};
}

}  // namespace

Status wait_for(
    asio::io_context& context,
    const std::shared_ptr<Ended>& ended,
    std::chrono::milliseconds patience,
    const std::stop_token& stop
) {
    const std::stop_callback wake(stop, [&context] { asio::post(context, [] {}); });
    const auto deadline = std::chrono::steady_clock::now() + patience;
    context.restart();
    while (!ended->is_done) {
        if (stop.stop_requested()) {
            return fail(ErrorKind::kCancelled, "the request was cancelled");
        }
        if (std::chrono::steady_clock::now() >= deadline) {
            return fail(
                ErrorKind::kDeadline, "the server says nothing for {} ms", patience.count()
            );
        }
        context.run_one_until(deadline);
    }
    return {};
}

void abandon(asio::io_context& context, Stream& stream, const std::shared_ptr<Ended>& ended) {
    stream.close();
    context.restart();
    while (!ended->is_done && context.run_one() > 0) {
    }
}

Result<std::unique_ptr<Stream>> dial(
    asio::io_context& context,
    const Url& url,
    const TlsContext& tls,
    std::chrono::milliseconds timeout,
    const std::stop_token& stop
) {
    TESSERA_ASSIGN(const auto endpoints, find_server(context, url, timeout, stop));
    Socket socket(context);
    const auto ended = std::make_shared<Ended>();
    asio::async_connect(socket, endpoints, [ended](const ErrorCode& error, const Tcp::endpoint&) {
        (*ended)(error);
    });
    if (auto waited = wait_for(context, ended, timeout, stop); !waited) {
        ErrorCode ignored;
        socket.close(ignored);
        context.restart();
        while (!ended->is_done && context.run_one() > 0) {
        }
        return tl::unexpected(std::move(waited).error());
    }
    if (ended->error) {
        return fail(
            ErrorKind::kUnavailable,
            "{} cannot be reached: {}",
            url.authority(),
            ended->error.message()
        );
    }
    ErrorCode ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    if (!url.is_secure) {
        return std::make_unique<Stream>(std::move(socket));
    }
    auto stream = std::make_unique<Stream>(std::move(socket), tls);
    TESSERA_TRY(shake_hands(context, *stream, url, timeout, stop));
    return stream;
}

}  // namespace tessera::http
