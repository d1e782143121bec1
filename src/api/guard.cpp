#include "api/guard.h"

#include "api/base64.h"
#include "api/error_shapes.h"
#include "telemetry/farm_metrics.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace tessera::api {
namespace {

constexpr std::string_view kWorkerPath = "/internal/worker";
constexpr std::string_view kObjectsPath = "/internal/objects/";
constexpr std::array<std::string_view, 2> kLinksPaths = {"/v1/images/files/", "/images/files/"};
constexpr std::string_view kKeyStart = "tsr_";

constexpr std::string_view kContentPolicy =
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

/// "localhost:7860" and "[::1]:7860" without the port.
std::string_view host_name(std::string_view host) {
    if (host.starts_with('[')) {
        return host.substr(0, std::min(host.size(), host.find(']') + 1));
    }
    return host.substr(0, host.find(':'));
}

/// A name can be made to point anywhere by whoever owns it; an address cannot.
bool is_address(std::string_view name) {
    const auto fits = [](char letter) { return (letter >= '0' && letter <= '9') || letter == '.'; };
    return name.starts_with('[') || (!name.empty() && std::ranges::all_of(name, fits));
}

bool contains_name(const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::any_of(names, [&](const std::string& one) {
        return http::equal_without_case(one, name);
    });
}

/// "Basic dXNlcjprZXk=": whichever of the two is a key, else the password.
std::string key_of_basic(std::string_view credentials) {
    const auto bytes = from_base64(credentials);
    if (!bytes) {
        return std::string(credentials);
    }
    const std::string_view both = as_text(*bytes);
    const auto colon = std::min(both.find(':'), both.size());
    const std::string_view user = both.substr(0, colon);
    const std::string_view password = both.substr(std::min(colon + 1, both.size()));
    return std::string(user.starts_with(kKeyStart) || password.empty() ? user : password);
}

bool is_same_secret(std::string_view left, std::string_view right) {
    return left.size() == right.size() &&
           CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

/// Of a picture by its link. The link is the right to see it, in any site's pages too.
bool is_link(const http::Request& request) {
    const auto is_below = [&](std::string_view path) { return request.path.starts_with(path); };
    return (request.method == "GET" || request.method == "HEAD") &&
           std::ranges::any_of(kLinksPaths, is_below);
}

/// "authorization, x-tessera-detach"
bool is_name_list(std::string_view text) {
    constexpr std::size_t kLongest = 1024;
    constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~, ";
    const auto fits = [&](char letter) {
        return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
               (letter >= 'A' && letter <= 'Z') || kOthers.find(letter) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, fits);
}

}  // namespace

std::string key_of(const http::Request& request) {
    const std::string_view given = request.fields.get("Authorization");
    const auto space = given.find(' ');
    if (space != std::string_view::npos) {
        std::string_view rest = given.substr(space + 1);
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
        if (http::equal_without_case(given.substr(0, space), "Bearer")) {
            return std::string(rest);
        }
        if (http::equal_without_case(given.substr(0, space), "Basic")) {
            return key_of_basic(rest);
        }
    }
    return std::string(given.empty() ? request.fields.get("x-api-key") : given);
}

const Caller& caller_of(const http::Request& request) {
    static const Caller kNobody;
    const auto* caller = static_cast<const Caller*>(request.context.get());
    return caller == nullptr ? kNobody : *caller;
}

const Caller& caller_of(const http::Exchange& exchange) {
    return caller_of(exchange.request());
}

ApiGuard::ApiGuard(const ApiParts& parts, std::set<std::string, std::less<>> public_paths)
    : parts_(parts),
      public_paths_(std::move(public_paths)),
      wrong_keys_(parts.metrics->counter(metric::kAuthFailures)),
      slowed_down_(parts.metrics->counter(metric::kRateLimited)),
      rate_(parts.settings.requests_per_second, parts.settings.burst) {}

ApiGuard::Allowed<void> ApiGuard::check_host(const http::Request& request) const {
    const std::string_view host = request.fields.get("Host");
    const std::string_view name = host_name(host);
    const bool is_known = is_address(name) || http::equal_without_case(name, "localhost") ||
                          contains_name(parts_.settings.hosts, name) ||
                          contains_name(parts_.settings.hosts, host);
    if (!is_known) {
        Error error{
            ErrorKind::kDenied,
            "this server does not go by the name in the Host field; if it should, add it to the "
            "configured hosts"};
        return tl::unexpected(Refused{403, std::move(error)});
    }
    return {};
}

bool ApiGuard::is_listed_origin(std::string_view origin) const {
    return std::ranges::find(parts_.settings.origins, origin) != parts_.settings.origins.end();
}

ApiGuard::Allowed<void> ApiGuard::check_origin(const http::Request& request) const {
    const std::string_view origin = request.fields.get("Origin");
    const std::string own =
        fmt::format("{}://{}", request.secure ? "https" : "http", request.fields.get("Host"));
    const std::string_view site = request.fields.get("Sec-Fetch-Site");
    const bool is_foreign = origin.empty() ? site == "cross-site" || site == "same-site"
                                           : !http::equal_without_case(origin, own);
    // Somebody who follows a link from elsewhere to the page.
    const bool is_visit =
        origin.empty() && request.fields.get("Sec-Fetch-Mode") == "navigate" && is_public(request);
    if (is_foreign && !is_visit && !is_link(request) && !is_listed_origin(origin)) {
        Error error{
            ErrorKind::kDenied,
            "pages of this origin may not call this server; if they should, add it to the "
            "configured origins"};
        return tl::unexpected(Refused{403, std::move(error)});
    }
    return {};
}

bool ApiGuard::is_public(const http::Request& request) const {
    const auto is_below = [&](std::string_view path) { return request.path.starts_with(path); };
    return public_paths_.contains(request.path) || std::ranges::any_of(kLinksPaths, is_below);
}

ApiGuard::Allowed<Caller> ApiGuard::identify(const http::Request& request) {
    const std::string key = key_of(request);
    const ApiSettings& settings = parts_.settings;
    // Clients that insist on some key send any word: where none is needed, that is none.
    const bool is_given = !key.empty() && (!settings.open || key.starts_with(kKeyStart) ||
                                           is_same_secret(key, settings.worker_key));
    if (!is_given) {
        if (settings.open) {
            return Caller{"", std::string(kOpenTenant), Role::kAdmin};
        }
        return tl::unexpected(Refused{
            401,
            {ErrorKind::kDenied,
             "an API key is needed: Authorization: Bearer tsr_... (tessera keys add makes one)"}});
    }
    if (!settings.worker_key.empty() && is_same_secret(key, settings.worker_key)) {
        return Caller{"local-worker", "", Role::kWorker};
    }
    const Instant now = parts_.clock.now();
    if (const auto wait = attempts_.locked_out(request.peer, key, now)) {
        return tl::unexpected(Refused{
            429, {ErrorKind::kExhausted, "too many wrong keys came from this address"}, wait});
    }
    auto caller = parts_.keys.check(key);
    if (!caller) {
        attempts_.failed(request.peer, now);
        return tl::unexpected(Refused{
            401, {ErrorKind::kDenied, "the API key is wrong or has expired"}});
    }
    attempts_.succeeded(request.peer, key);
    return *std::move(caller);
}

ApiGuard::Allowed<void> ApiGuard::check_rate(const std::string& who) {
    if (const auto wait = rate_.take(who, parts_.clock.now())) {
        Error error{ErrorKind::kExhausted, "too many requests; slow down"};
        return tl::unexpected(Refused{429, std::move(error), wait});
    }
    return {};
}

ApiGuard::Allowed<Caller> ApiGuard::admit(const http::Request& request) {
    TESSERA_TRY(check_host(request));
    TESSERA_TRY(check_origin(request));
    if (request.path.starts_with(kObjectsPath)) {
        return Caller{};
    }
    if (is_public(request)) {
        TESSERA_TRY(check_rate("address " + request.peer));
        return Caller{};
    }
    TESSERA_ASSIGN(Caller caller, identify(request));
    const bool is_worker = caller.role == Role::kWorker;
    if (is_worker != (request.path == kWorkerPath)) {
        Error error{
            ErrorKind::kDenied,
            is_worker ? "a worker's key opens the workers' link and nothing else"
                      : "the workers' link needs a worker's key"};
        return tl::unexpected(Refused{403, std::move(error)});
    }
    if (!is_worker) {
        TESSERA_TRY(
            check_rate(caller.key_id.empty() ? "address " + request.peer : "key " + caller.key_id)
        );
    }
    return caller;
}

std::optional<http::Response> ApiGuard::check(http::Request& request) {
    const bool is_preflight =
        request.method == "OPTIONS" && request.fields.has("Access-Control-Request-Method");
    if (is_preflight && check_host(request) && is_listed_origin(request.fields.get("Origin"))) {
        http::Response response{204, {}, {}};
        response.fields.add("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE");
        // Clients send fields of their own (x-stainless-…), and the origin is trusted anyway.
        const std::string_view names = request.fields.get("Access-Control-Request-Headers");
        if (is_name_list(names)) {
            response.fields.add("Access-Control-Allow-Headers", std::string(names));
        }
        response.fields.add("Access-Control-Max-Age", "600");
        return response;
    }
    auto caller = admit(request);
    if (caller) {
        request.context = std::make_shared<const Caller>(*std::move(caller));
        return std::nullopt;
    }
    const Refused& refused = caller.error();
    if (refused.status == 401) {
        wrong_keys_.add();
    } else if (refused.status == 429) {
        slowed_down_.add();
    }
    http::Response response = error_for_path(request.path, refused.status, {refused.error, {}});
    if (refused.retry_after) {
        response.fields.set("Retry-After", whole_seconds(*refused.retry_after));
    }
    if (refused.status == 401) {
        const bool is_basic = request.path.starts_with("/sdapi/");
        response.fields.add(
            "WWW-Authenticate", is_basic ? "Basic realm=\"Tessera\"" : "Bearer realm=\"Tessera\""
        );
    }
    return response;
}

void ApiGuard::dress(const http::Request& request, http::Response& response) const {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kAlways = {{
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Security-Policy", kContentPolicy},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    }};
    for (const auto& [name, value] : kAlways) {
        response.fields.set(name, std::string(value));
    }
    if (is_link(request)) {
        response.fields.set("Cross-Origin-Resource-Policy", "cross-origin");
    }
    if (!response.fields.has("Cache-Control")) {
        response.fields.add("Cache-Control", "no-store");
    }
    const std::string_view origin = request.fields.get("Origin");
    if (!parts_.settings.origins.empty()) {
        response.fields.add("Vary", "Origin");
    }
    if (!origin.empty() && is_listed_origin(origin)) {
        response.fields.set("Access-Control-Allow-Origin", std::string(origin));
        response.fields.set(
            "Access-Control-Expose-Headers",
            "ETag, Location, Retry-After, Content-Range, X-Should-Retry, X-Tessera-Job, "
            "X-Tessera-Remarks"
        );
    }
}

}  // namespace tessera::api
