#include "http/router_state.h"
#include "http/target.h"

#include <span>
#include <utility>

namespace tessera::http {
namespace {

using Node = Router::State::Node;

/// Of a path that begins with "/".
std::vector<std::string_view> segments_of(std::string_view path) {
    std::vector<std::string_view> segments;
    path.remove_prefix(1);
    for (;;) {
        const auto slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) {
            return segments;
        }
        path.remove_prefix(slash + 1);
    }
}

bool is_parameter(std::string_view segment) {
    return segment.size() > 2 && segment.starts_with('{') && segment.ends_with('}');
}

/// A pattern's node, made where it is missing; the {name}s are told.
Node& node_of(Node& root, std::string_view pattern, std::vector<std::string>& names) {
    Node* node = &root;
    for (const std::string_view segment : segments_of(pattern)) {
        if (is_parameter(segment)) {
            names.emplace_back(segment.substr(1, segment.size() - 2));
        }
        auto& child = is_parameter(segment) ? node->parameter : node->literal[std::string(segment)];
        if (!child) {
            child = std::make_unique<Node>();
        }
        node = child.get();
    }
    return *node;
}

using Segments = std::span<const std::string>;

/// Visits each node of the tree at most once for each way to it, and there is one way: the work is
/// bounded by the tree, whatever the path.
const Node* find_node(const Node& node, Segments segments, std::vector<std::string_view>& values) {
    if (segments.empty()) {
        return node.routes.empty() ? nullptr : &node;
    }
    if (const auto found = node.literal.find(segments[0]); found != node.literal.end()) {
        if (const Node* end = find_node(*found->second, segments.subspan(1), values)) {
            return end;
        }
    }
    if (!node.parameter || segments[0].empty()) {
        return nullptr;
    }
    values.push_back(segments[0]);
    if (const Node* end = find_node(*node.parameter, segments.subspan(1), values)) {
        return end;
    }
    values.pop_back();
    return nullptr;
}

std::string allowed_methods(const Node& node) {
    std::string allow;
    for (const auto& [method, route] : node.routes) {
        allow += allow.empty() ? "" : ", ";
        allow += method == "GET" && !route.websocket ? "GET, HEAD" : method;
    }
    return allow;
}

const Route* route_for(const Node& node, std::string_view method) {
    auto found = node.routes.find(method);
    if (found == node.routes.end() && method == "HEAD") {
        found = node.routes.find("GET");
        if (found != node.routes.end() && found->second.websocket) {
            return nullptr;
        }
    }
    return found == node.routes.end() ? nullptr : &found->second;
}

void collect(const Node& node, std::vector<std::pair<std::string, std::string>>& routes) {
    for (const auto& [method, route] : node.routes) {
        routes.emplace_back(method, route.pattern);
    }
    for (const auto& [segment, child] : node.literal) {
        collect(*child, routes);
    }
    if (node.parameter) {
        collect(*node.parameter, routes);
    }
}

std::string json_quoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char byte : text) {
        if (byte == '"' || byte == '\\') {
            quoted += '\\';
            quoted += byte;
        } else if (static_cast<unsigned char>(byte) < 0x20) {
            fmt::format_to(std::back_inserter(quoted), "\\u{:04x}", static_cast<unsigned>(byte));
        } else {
            quoted += byte;
        }
    }
    return quoted + '"';
}

}  // namespace

RouteMatch Router::State::match(std::string_view method, std::string_view raw_path) const {
    if (!raw_path.starts_with('/')) {
        return {};  // "*"
    }
    std::vector<std::string> segments;
    for (const std::string_view segment : segments_of(raw_path)) {
        auto decoded = percent_decode(segment);
        if (!decoded) {
            return {};
        }
        segments.push_back(*std::move(decoded));
    }
    std::vector<std::string_view> values;
    const Node* node = find_node(root, segments, values);
    if (node == nullptr) {
        return {};
    }
    RouteMatch match;
    match.route = route_for(*node, method);
    if (match.route == nullptr) {
        match.allow = allowed_methods(*node);
        return match;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        match.parameters.insert_or_assign(match.route->names.at(i), std::string(values[i]));
    }
    return match;
}

Response Router::State::error(const Request& request, int status, const std::string& message)
    const {
    return error_response
               ? error_response(request, status, message)
               : json_response(
                     status, fmt::format(R"({{"error":{{"message":{}}}}})", json_quoted(message))
                 );
}

Router::Router() : state_(std::make_shared<State>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(
    std::string_view method, std::string_view pattern, Handler handler, RouteOptions options
) {
    Route route;
    Node& node = node_of(state_->root, pattern, route.names);
    route.method = method;
    route.pattern = pattern;
    route.handler = std::move(handler);
    route.options = std::move(options);
    node.routes.insert_or_assign(std::string(method), std::move(route));
}

void Router::add_websocket(
    std::string_view pattern,
    WebSocketHandler handler,
    std::size_t message_limit,
    std::size_t backlog
) {
    Route route;
    Node& node = node_of(state_->root, pattern, route.names);
    route.method = "GET";
    route.pattern = pattern;
    route.websocket = std::move(handler);
    route.message_limit = message_limit;
    route.backlog = backlog;
    node.routes.insert_or_assign("GET", std::move(route));
}

void Router::guard(Guard guard) {
    state_->guard = std::move(guard);
}

void Router::observe(Observer observer) {
    state_->observer = std::move(observer);
}

void Router::dress(std::function<void(const Request&, Response&)> dress) {
    state_->dress = std::move(dress);
}

void Router::on_error(
    std::function<Response(const Request&, int status, const std::string& message)> f
) {
    state_->error_response = std::move(f);
}

std::vector<std::pair<std::string, std::string>> Router::routes() const {
    std::vector<std::pair<std::string, std::string>> routes;
    collect(state_->root, routes);
    return routes;
}

}  // namespace tessera::http
