#pragma once

#include "events/event_bus.h"
#include "events/farm_event.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::api {

/// An event as it is sent: the JSON that clients read, once for all who hear it.
struct EventText {
    std::string name;
    std::string id;  ///< empty: cannot be resumed from
    std::string json;
};

/// Words events; the last one is kept, since it is asked for by every listener in turn.
/// Thread-safe.
class EventTexts {
  public:
    [[nodiscard]] std::shared_ptr<const EventText> of(const EventPtr& event);

  private:
    std::mutex mutex_;
    EventPtr event_;
    std::shared_ptr<const EventText> text_;
};

/// Where a feed's events go.
class EventSink {
  public:
    virtual ~EventSink() = default;
    /// False when it is closed or too much waits. A `topic` stands for its latest state alone.
    virtual bool send(const std::string& topic, const EventText& text) = 0;
    /// After what was sent.
    virtual void end() = 0;
};

/// One listener's events on their way from the bus to a slow connection. Superseded states make
/// room for their next ones; a reader that is too slow even so is cut off, to come back with the id
/// of the last event that it has. Thread-safe.
class EventFeed {
  public:
    /// `ends_with_job`: it is about one job, and over when that is.
    EventFeed(std::shared_ptr<EventTexts> texts, bool ends_with_job)
        : texts_(std::move(texts)), ends_with_job_(ends_with_job) {}

    /// An EventBus::Listener. Until `open`, events wait here.
    void hear(const EventPtr& event);
    /// Nothing was heard so far.
    [[nodiscard]] bool is_silent() const;
    /// From now on events go to the sink, `first` before all others. `is_over`: nothing follows.
    void open(
        std::unique_ptr<EventSink> sink,
        std::shared_ptr<void> subscription,
        std::optional<EventText> first,
        bool is_over
    );
    /// The connection is gone: hears no more.
    void close();

  private:
    void pass_on(const EventPtr& event);

    const std::shared_ptr<EventTexts> texts_;
    const bool ends_with_job_;
    mutable std::mutex mutex_;  // guards what follows
    std::unique_ptr<EventSink> sink_;
    std::shared_ptr<void> subscription_;
    std::vector<EventPtr> early_;
    bool is_closed_ = false;
};

}  // namespace tessera::api
