#pragma once

#include "http/server.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::http {

struct Route {
    std::string method;
    std::string pattern;
    std::vector<std::string> names;  ///< of the pattern's {name}s, in order
    Handler handler;
    RouteOptions options;
    WebSocketHandler websocket;  ///< instead of handler
    std::size_t message_limit = 0;
    std::size_t backlog = 0;
};

/// What a path leads to.
struct RouteMatch {
    const Route* route = nullptr;
    std::map<std::string, std::string> parameters;
    /// With no route: the methods that the path knows, "GET, HEAD, POST"; empty: it is unknown.
    std::string allow;
};

/// The routes as a tree of segments. Not changed any more once a server has it.
struct Router::State {
    struct Node {
        std::map<std::string, std::unique_ptr<Node>, std::less<>> literal;
        std::unique_ptr<Node> parameter;
        std::map<std::string, Route, std::less<>> routes;  ///< by method
    };

    Node root;
    Guard guard;
    Observer observer;
    std::function<void(const Request&, Response&)> dress;
    std::function<Response(const Request&, int, const std::string&)> error_response;

    [[nodiscard]] RouteMatch match(std::string_view method, std::string_view raw_path) const;
    [[nodiscard]] Response error(const Request& request, int status, const std::string& message)
        const;
};

}  // namespace tessera::http
