#pragma once

#include "base/id.h"
#include "events/farm_event.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tessera {

/// What a subscriber wants to hear. An empty field does not restrict.
struct EventFilter {
    std::string tenant;
    JobId job;
    bool previews = true;
};

using EventPtr = std::shared_ptr<const FarmEvent>;

struct EventBusLimits {
    // For each tenant, so that a busy one does not make others forget. Previews are not kept, and
    // of states that follow each other (is_superseded_by_next) only the last.
    std::size_t kept_events = 4096;
    std::size_t kept_bytes = 4U << 20U;
    /// The server's, counted up at each start: ids begin with it, so that one of an earlier life
    /// is known to be from there. Below 2^24.
    std::uint32_t incarnation = 0;
};

/// Brings events to whoever listens, and keeps the last ones for those who come back. Thread-safe.
class EventBus {
  public:
    /// Called in order, one at a time, from the publisher's thread; must not block, publish or
    /// subscribe; may drop its handle. Events are shared: take a copy of the pointer. Slow readers
    /// stand behind an EventMailbox.
    using Listener = std::function<void(const EventPtr&)>;
    using Limits = EventBusLimits;

    explicit EventBus(const Limits& limits);
    EventBus() : EventBus(Limits{}) {}
    ~EventBus();
    EventBus(const EventBus&) = delete;
    EventBus& operator=(const EventBus&) = delete;

    /// Numbers it (but for previews) and tells everybody. After kDeleted nothing of that job is
    /// kept but this.
    void publish(FarmEvent event);

    /// Hears everything from now on that passes the filter, until the handle is dropped; after that
    /// no call begins, and one may still be under way. With `after`, first of all (in this call)
    /// what was kept with a larger id. When some of that is forgotten, or `after` is not of this
    /// life, `complete` is false and a kReset goes before.
    struct Subscription {
        std::shared_ptr<void> handle;
        bool complete = true;
    };
    [[nodiscard]] Subscription subscribe(
        EventFilter filter, Listener listener, std::optional<std::uint64_t> after = std::nullopt
    );

    [[nodiscard]] std::size_t subscribers() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace tessera
