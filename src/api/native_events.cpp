#include "api/event_feed.h"
#include "api/guard.h"
#include "api/native_internal.h"
#include "base/number.h"
#include "http/sse.h"

#include <utility>

namespace tessera::api {
namespace {

constexpr std::size_t kMessageLimit = 4096;  ///< of what clients say, which nobody listens to
constexpr std::uint16_t kNormalClose = 1000;

class StreamSink final : public EventSink {
  public:
    explicit StreamSink(std::shared_ptr<http::ResponseStream> stream)
        : stream_(std::move(stream)) {}
    bool send(const std::string& topic, const EventText& text) override {
        std::string part = http::format_event(text.name, text.json, text.id);
        return topic.empty() ? stream_->send(std::move(part))
                             : stream_->send_latest(topic, std::move(part));
    }
    void end() override { stream_->finish(); }

  private:
    const std::shared_ptr<http::ResponseStream> stream_;
};

class SocketSink final : public EventSink {
  public:
    explicit SocketSink(std::shared_ptr<http::WebSocket> socket) : socket_(std::move(socket)) {}
    bool send(const std::string& topic, const EventText& text) override {
        return topic.empty() ? socket_->send(text.json, false)
                             : socket_->send_latest(topic, text.json, false);
    }
    void end() override { socket_->close(kNormalClose, {}); }

  private:
    const std::shared_ptr<http::WebSocket> socket_;
};

/// What a request wants to hear.
struct Wanted {
    EventFilter filter;
    std::optional<std::uint64_t> after;
    std::optional<JobView> job;
};

Checked<Wanted> read_wanted(const ApiParts& parts, const http::Request& request) {
    TESSERA_TRY(check_query(request, {"job", "previews", "after", "tenant"}));
    const Caller& caller = caller_of(request);
    const auto field = [&](const char* name) {
        const auto found = request.query.find(name);
        return found == request.query.end() ? std::string() : found->second;
    };
    Wanted wanted;
    TESSERA_ASSIGN(wanted.filter.tenant, tenant_scope(caller));
    if (wanted.filter.tenant.empty()) {
        wanted.filter.tenant = field("tenant");
    }
    TESSERA_ASSIGN(const int previews, query_number(request, "previews", 1, 0, 1));
    wanted.filter.previews = previews == 1;
    const std::string last = request.fields.has("Last-Event-ID")
                                 ? std::string(request.fields.get("Last-Event-ID"))
                                 : field("after");
    if (!last.empty()) {
        wanted.after = read_number<std::uint64_t>(last);
        if (!wanted.after) {
            return refuse(
                "after", ErrorKind::kInvalidArgument, "Last-Event-ID must be an event's id"
            );
        }
    }
    if (const std::string id = field("job"); !id.empty()) {
        TESSERA_ASSIGN(wanted.job, find_job(parts.queue, caller, id));
        wanted.filter.job = JobId{id};
    }
    return wanted;
}

/// A feed that listens already, and what it begins with.
struct Begun {
    std::shared_ptr<EventFeed> feed;
    std::shared_ptr<void> subscription;
    std::optional<EventText> first;
    bool is_over = false;
    /// The client has heard all that there will ever be.
    bool is_known = false;
};

Begun begin(const ApiParts& parts, const std::shared_ptr<EventTexts>& texts, const Wanted& wanted) {
    Begun begun;
    begun.feed = std::make_shared<EventFeed>(texts, wanted.job.has_value());
    auto subscription = parts.events.subscribe(
        wanted.filter,
        [feed = begun.feed](const EventPtr& event) { feed->hear(event); },
        wanted.after
    );
    begun.subscription = std::move(subscription.handle);
    // Read after the feed has begun to listen, so that nothing falls between.
    if (!wanted.job) {
        return begun;
    }
    const auto job = parts.queue.job(wanted.job->id);
    if (!job) {
        begun.is_over = true;
        return begun;
    }
    begun.is_over = is_final(job->state);
    begun.is_known = begun.is_over && wanted.after && begun.feed->is_silent();
    if (!wanted.after || !subscription.complete) {
        OrderedJson json;
        json["event"] = "job";
        json["job"] = job->id.value;
        json["state"] = job_json(*job, parts.dispatcher.outlook(job->id), parts.clock.now());
        begun.first = EventText{"job", {}, json_text(json)};
    }
    return begun;
}

void serve_stream(
    const ApiParts& parts, const std::shared_ptr<EventTexts>& texts, const ExchangePtr& exchange
) {
    const auto wanted = read_wanted(parts, exchange->request());
    if (!wanted) {
        exchange->respond(fault_answer(wanted.error()));
        return;
    }
    Begun begun = begin(parts, texts, *wanted);
    if (begun.is_known) {
        begun.feed->close();
        exchange->respond(http::Response{204, {}, {}});
        return;
    }
    http::Response head;
    head.fields.add("Content-Type", "text/event-stream");
    head.fields.add("X-Accel-Buffering", "no");
    const auto stream = exchange->stream(std::move(head));
    begun.feed->open(
        std::make_unique<StreamSink>(stream),
        std::move(begun.subscription),
        std::move(begun.first),
        begun.is_over
    );
    stream->on_gone([weak = std::weak_ptr(begun.feed)] {
        if (const auto feed = weak.lock()) {
            feed->close();
        }
    });
}

Result<http::WebSocketEvents> serve_socket(
    const ApiParts& parts,
    const std::shared_ptr<EventTexts>& texts,
    const http::Request& request,
    std::shared_ptr<http::WebSocket> socket
) {
    const auto wanted = read_wanted(parts, request);
    if (!wanted) {
        return tl::unexpected(wanted.error().error);
    }
    Begun begun = begin(parts, texts, *wanted);
    begun.feed->open(
        std::make_unique<SocketSink>(std::move(socket)),
        std::move(begun.subscription),
        std::move(begun.first),
        begun.is_over
    );
    http::WebSocketEvents events;
    events.on_message = [](const std::string& /*message*/, bool /*binary*/) {};
    events.on_closed = [feed = std::move(begun.feed)] { feed->close(); };
    return events;
}

}  // namespace

void add_native_event_routes(http::Router& router, const SharedParts& parts) {
    const auto texts = std::make_shared<EventTexts>();
    router.add("GET", "/api/v1/events", [parts, texts](const ExchangePtr& exchange) {
        serve_stream(*parts, texts, exchange);
    });
    router.add_websocket(
        "/api/v1/events/ws",
        [parts, texts](const http::Request& request, std::shared_ptr<http::WebSocket> socket) {
            return serve_socket(*parts, texts, request, std::move(socket));
        },
        kMessageLimit
    );
}

}  // namespace tessera::api
