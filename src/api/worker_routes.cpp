#include "api/answers.h"
#include "api/api.h"
#include "api/guard.h"
#include "api/object_grants.h"
#include "link/messages.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

namespace tessera::api {
namespace {

constexpr std::uint16_t kNormalClose = 1000;
constexpr std::uint16_t kPolicyClose = 1008;
/// A worker with many slots may get an assignment for each at once.
constexpr std::size_t kLinkBacklog = 32U << 20U;

class SocketLink final : public WorkerLink {
  public:
    explicit SocketLink(std::shared_ptr<http::WebSocket> socket) : socket_(std::move(socket)) {}

    bool send(const ServerMessage& message) override {
        auto frame = encode(message);
        // What does not fit into a frame would never arrive: the worker must not wait for it.
        return frame && socket_->send(*std::move(frame), true);
    }
    void close(const std::string& reason) override { socket_->close(kNormalClose, reason); }

    /// What it said is no frame: it hears why, and that is the end.
    void refuse(const std::string& reason) {
        send(Goodbye{reason, false});
        socket_->close(kPolicyClose, "no frame");
    }

  private:
    const std::shared_ptr<http::WebSocket> socket_;
};

http::WebSocketEvents open_link(Dispatcher& dispatcher, std::shared_ptr<http::WebSocket> socket) {
    const auto link = std::make_shared<SocketLink>(std::move(socket));
    const LinkId id = dispatcher.link_opened(link);
    http::WebSocketEvents events;
    events.on_message = [&dispatcher, link, id](const std::string& frame, bool is_binary) {
        if (!is_binary) {
            link->refuse("frames are binary messages");
            return;
        }
        auto message = decode_worker_message(frame);
        if (!message) {
            link->refuse(message.error().message);
            return;
        }
        dispatcher.link_message(id, *std::move(message));
    };
    events.on_closed = [&dispatcher, id] { dispatcher.link_closed(id); };
    return events;
}

/// The objects' routes and what opens them.
class WorkerObjects {
  public:
    WorkerObjects(const ApiParts& parts, const ObjectTokens& tokens)
        : parts_(parts), tokens_(tokens) {}

    /// For before the body: whether it may come at all.
    [[nodiscard]] std::optional<http::Response> refuse_body(const http::Request& request) const {
        const auto writing = check_writing(request);
        return writing ? std::nullopt : std::optional(error_answer(writing.error()));
    }

    [[nodiscard]] http::Response get(const http::Request& request) const {
        auto bytes = read(request);
        if (!bytes) {
            return error_answer(bytes.error());
        }
        http::Response response;
        response.body = as_text(*bytes);
        response.fields.add("Content-Type", "application/octet-stream");
        return response;
    }

    [[nodiscard]] http::Response put(const http::Request& request) const {
        const auto stored = store(request);
        if (!stored) {
            return error_answer(stored.error());
        }
        return http::json_response(
            201, fmt::format(R"({{"sha256":"{}","bytes":{}}})", stored->sha256, stored->bytes)
        );
    }

  private:
    struct Asked {
        ObjectGrant grant;
        TaskId task;
        std::string sha256;
    };

    [[nodiscard]] Result<Asked> check(const http::Request& request) const {
        TESSERA_ASSIGN(ObjectGrant grant, tokens_.check(key_of(request), parts_.clock.wall()));
        auto task = parse_task_id(grant.task);
        if (!task) {
            return fail(ErrorKind::kDenied, "this token is for no task");
        }
        Asked asked{std::move(grant), *std::move(task), {}};
        const auto found = request.parameters.find("sha256");
        asked.sha256 = found == request.parameters.end() ? "" : found->second;
        if (!is_sha256(asked.sha256)) {
            return fail(
                ErrorKind::kInvalidArgument, "an object's name is 64 lower-case hex digits"
            );
        }
        return asked;
    }

    [[nodiscard]] Result<Asked> check_writing(const http::Request& request) const {
        TESSERA_ASSIGN(Asked asked, check(request));
        if (!asked.grant.may_write) {
            return fail(ErrorKind::kDenied, "this token stores nothing");
        }
        return asked;
    }

    [[nodiscard]] Result<Bytes> read(const http::Request& request) const {
        TESSERA_ASSIGN(const Asked asked, check(request));
        if (!asked.grant.may_read(asked.sha256)) {
            return fail(ErrorKind::kNotFound, "the task has no such input");
        }
        return parts_.objects->read_input(asked.task, asked.sha256);
    }

    [[nodiscard]] Result<ObjectInfo> store(const http::Request& request) const {
        TESSERA_ASSIGN(const Asked asked, check_writing(request));
        if (request.body.size() > asked.grant.max_bytes) {
            return fail(
                ErrorKind::kInvalidArgument,
                "the object has {} bytes, {} are allowed",
                request.body.size(),
                asked.grant.max_bytes
            );
        }
        return parts_.objects->store_result(
            asked.task,
            asked.sha256,
            as_bytes(request.body),
            std::string(request.fields.get("Content-Type"))
        );
    }

    const ApiParts parts_;
    const ObjectTokens tokens_;
};

}  // namespace

void add_worker_routes(http::Router& router, const ApiParts& parts) {
    router.add_websocket(
        "/internal/worker",
        [&dispatcher = parts.dispatcher](
            const http::Request& /*request*/, std::shared_ptr<http::WebSocket> socket
        ) -> Result<http::WebSocketEvents> { return open_link(dispatcher, std::move(socket)); },
        kMaxFrameBytes,
        kLinkBacklog
    );
    const auto tokens = object_tokens(parts.settings.object_secret);
    if (!tokens) {
        return;  // nobody can have a token either
    }
    const auto objects = std::make_shared<const WorkerObjects>(parts, *tokens);
    router.add(
        "GET",
        "/internal/objects/{sha256}",
        [objects](const std::shared_ptr<http::Exchange>& exchange) {
            exchange->respond(objects->get(exchange->request()));
        }
    );
    http::RouteOptions options;
    options.body_limit = kMaxResultBytes;
    options.before_body = [objects](const http::Request& request) {
        return objects->refuse_body(request);
    };
    router.add(
        "PUT",
        "/internal/objects/{sha256}",
        [objects](const std::shared_ptr<http::Exchange>& exchange) {
            exchange->respond(objects->put(exchange->request()));
        },
        std::move(options)
    );
}

}  // namespace tessera::api
