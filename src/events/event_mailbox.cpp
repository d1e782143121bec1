#include "events/event_mailbox.h"

#include <algorithm>
#include <utility>

namespace tessera {

EventMailbox::EventMailbox(std::function<void()> wake, std::size_t max_waiting)
    : wake_(std::move(wake)), max_waiting_(std::max<std::size_t>(max_waiting, 4)) {}

void EventMailbox::put(const EventPtr& event) {
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(events_, [&event](const EventPtr& earlier) {
            return supersedes(*event, *earlier);
        });
        events_.push_back(event);
        if (events_.size() > max_waiting_) {
            make_room();
        }
        if (std::exchange(is_told_, true)) {
            return;
        }
    }
    wake_();
}

void EventMailbox::make_room() {
    std::erase_if(events_, [](const EventPtr& event) {
        return !ends_job(event->kind) && event->kind != FarmEvent::Kind::kDeleted;
    });
    // Half of the line stays free, so that this is not done for each event from now on.
    while (events_.size() > max_waiting_ / 2) {
        events_.pop_front();
    }
    FarmEvent reset;
    reset.kind = FarmEvent::Kind::kReset;
    events_.push_front(std::make_shared<const FarmEvent>(std::move(reset)));
}

bool EventMailbox::drain(const std::function<bool(const EventPtr&)>& send) {
    for (;;) {
        EventPtr next;
        {
            const std::lock_guard lock(mutex_);
            is_told_ = false;
            if (events_.empty()) {
                return true;
            }
            next = events_.front();
        }
        if (!send(next)) {
            return false;
        }
        const std::lock_guard lock(mutex_);
        if (!events_.empty() && events_.front() == next) {
            events_.pop_front();
        }
    }
}

std::size_t EventMailbox::waiting() const {
    const std::lock_guard lock(mutex_);
    return events_.size();
}

}  // namespace tessera
