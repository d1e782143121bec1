#include "http/url.h"

#include "base/number.h"

#include <algorithm>
#include <utility>

namespace tessera::http {
namespace {

constexpr std::uint16_t kPlainPort = 80;
constexpr std::uint16_t kSecurePort = 443;

tl::unexpected<Error> no_url(std::string_view text) {
    return fail(
        ErrorKind::kInvalidArgument,
        "{} is not the URL of a server: it looks like http://127.0.0.1:7860",
        text
    );
}

bool is_host(std::string_view host, bool is_bracketed) {
    return !host.empty() && std::all_of(host.begin(), host.end(), [&](char byte) {
        return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
               (byte >= 'A' && byte <= 'Z') || byte == '.' || byte == '-' || byte == '_' ||
               (is_bracketed && byte == ':');
    });
}

}  // namespace

std::string Url::authority() const {
    const bool is_ipv6 = host.find(':') != std::string::npos;
    const auto name = is_ipv6 ? fmt::format("[{}]", host) : host;
    return port == (is_secure ? kSecurePort : kPlainPort) ? name : fmt::format("{}:{}", name, port);
}

Result<Url> parse_url(std::string_view text) {
    Url url;
    std::string_view rest = text;
    const auto scheme_end = rest.find("://");
    if (scheme_end == std::string_view::npos) {
        return no_url(text);
    }
    const auto scheme = rest.substr(0, scheme_end);
    rest.remove_prefix(scheme_end + 3);
    if (scheme == "https" || scheme == "wss") {
        url.is_secure = true;
    } else if (scheme != "http" && scheme != "ws") {
        return no_url(text);
    }
    url.port = url.is_secure ? kSecurePort : kPlainPort;

    const auto slash = std::min(rest.find('/'), rest.size());
    std::string_view authority = rest.substr(0, slash);
    std::string_view path = rest.substr(slash);
    const bool is_bracketed = authority.starts_with('[');
    const auto host_end = is_bracketed ? authority.find(']') : authority.find(':');
    url.host = authority.substr(is_bracketed ? 1 : 0, host_end - (is_bracketed ? 1 : 0));
    if (is_bracketed && host_end == std::string_view::npos) {
        return no_url(text);
    }
    auto port =
        authority.substr(std::min(is_bracketed ? host_end + 1 : host_end, authority.size()));
    if (!port.empty()) {
        const auto number =
            port.starts_with(':') ? read_number<std::uint16_t>(port.substr(1)) : std::nullopt;
        if (!number || *number == 0) {
            return no_url(text);
        }
        url.port = *number;
    }
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    const bool is_path = std::all_of(path.begin(), path.end(), [](char byte) {
        return byte > 0x20 && byte < 0x7F && byte != '?' && byte != '#';
    });
    if (!is_host(url.host, is_bracketed) || !is_path) {
        return no_url(text);
    }
    url.path = path;
    return url;
}

}  // namespace tessera::http
