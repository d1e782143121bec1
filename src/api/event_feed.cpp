#include "api/event_feed.h"

#include "api/job_json_internal.h"

#include <utility>

namespace tessera::api {

std::shared_ptr<const EventText> EventTexts::of(const EventPtr& event) {
    const std::lock_guard lock(mutex_);
    if (event_ != event) {
        auto text = std::make_shared<EventText>();
        text->name = to_string(event->kind);
        text->id = event->id == 0 ? "" : std::to_string(event->id);
        text->json = json_text(event_json(*event));
        event_ = event;
        text_ = std::move(text);
    }
    return text_;
}

void EventFeed::hear(const EventPtr& event) {
    std::shared_ptr<void> dropped;  // outlives the lock: dropping it may wait for nothing of ours
    const std::lock_guard lock(mutex_);
    if (is_closed_) {
        dropped = std::move(subscription_);
    } else if (sink_) {
        pass_on(event);
        if (is_closed_) {
            dropped = std::move(subscription_);
        }
    } else {
        early_.push_back(event);
    }
}

bool EventFeed::is_silent() const {
    const std::lock_guard lock(mutex_);
    return early_.empty();
}

void EventFeed::open(
    std::unique_ptr<EventSink> sink,
    std::shared_ptr<void> subscription,
    std::optional<EventText> first,
    bool is_over
) {
    std::shared_ptr<void> dropped;
    const std::lock_guard lock(mutex_);
    sink_ = std::move(sink);
    subscription_ = std::move(subscription);
    if (first) {
        sink_->send({}, *first);
    }
    for (const EventPtr& event : std::exchange(early_, {})) {
        // What `first` tells is newer than the states that were heard while it was read.
        if (!is_closed_ && !(first && is_superseded_by_next(event->kind))) {
            pass_on(event);
        }
    }
    if (is_over && !is_closed_) {
        is_closed_ = true;
        sink_->end();
    }
    if (is_closed_) {
        dropped = std::move(subscription_);
    }
}

void EventFeed::close() {
    std::shared_ptr<void> dropped;
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    dropped = std::move(subscription_);
}

/// With the lock held.
void EventFeed::pass_on(const EventPtr& event) {
    const bool is_state = is_superseded_by_next(event->kind);
    const std::string topic =
        is_state ? fmt::format("{}/{}/{}", to_string(event->kind), event->job.value, event->unit)
                 : std::string();
    const bool is_sent = sink_->send(topic, *texts_->of(event));
    const bool is_over = ends_with_job_ && ends_job(event->kind);
    if ((!is_sent && !is_state) || is_over) {
        is_closed_ = true;
        sink_->end();
    }
}

}  // namespace tessera::api
