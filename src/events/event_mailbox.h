#pragma once

#include "events/event_bus.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace tessera {

/// What waits for one reader, however slow: a bounded line in which a state makes room for the next
/// one of its kind (see supersedes). Should there be too much even so, all but ends of jobs goes,
/// and a kReset stands in its place. Puts never wait. Thread-safe; one reader at a time.
class EventMailbox {
  public:
    /// `wake` is called, from the publisher's thread, when something waits and the reader has not
    /// been told since it last took anything: again only after the next `drain`. It must not block,
    /// and must not drain.
    explicit EventMailbox(std::function<void()> wake, std::size_t max_waiting = 1024);

    /// An EventBus::Listener.
    void put(const EventPtr& event);

    /// Hands the oldest on, one by one, until `send` says false (it could not, and it remains) or
    /// nothing waits. True when nothing waits any more. What comes meanwhile is not held up.
    bool drain(const std::function<bool(const EventPtr&)>& send);

    [[nodiscard]] std::size_t waiting() const;

  private:
    void make_room();

    const std::function<void()> wake_;
    const std::size_t max_waiting_;
    mutable std::mutex mutex_;
    std::deque<EventPtr> events_;
    bool is_told_ = false;
};

}  // namespace tessera
