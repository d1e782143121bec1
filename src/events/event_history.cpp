#include "events/event_history.h"

#include <algorithm>
#include <iterator>

namespace tessera {

void EventHistory::add(const EventPtr& event) {
    take_out_superseded(*event);
    if (event->kind == FarmEvent::Kind::kDeleted) {
        for (auto at = events_.begin(); at != events_.end();) {
            const auto next = std::next(at);
            if (at->second->job == event->job) {
                erase(at);
            }
            at = next;
        }
    }
    events_.emplace_hint(events_.end(), event->id, event);
    bytes_ += footprint(*event);
    if (is_superseded_by_next(event->kind)) {
        states_[event->job].push_back(event->id);
    }
    while (!events_.empty() && (events_.size() > max_events_ || bytes_ > max_bytes_)) {
        forgotten_ = events_.begin()->first;
        erase(events_.begin());
    }
}

void EventHistory::take_out_superseded(const FarmEvent& event) {
    const auto states = states_.find(event.job);
    if (states == states_.end()) {
        return;
    }
    const std::vector<std::uint64_t> ids = states->second;
    for (const std::uint64_t id : ids) {
        if (const auto at = events_.find(id);
            at != events_.end() && supersedes(event, *at->second)) {
            erase(at);
        }
    }
}

void EventHistory::erase(std::map<std::uint64_t, EventPtr>::iterator at) {
    const FarmEvent& event = *at->second;
    bytes_ -= footprint(event);
    if (const auto states = states_.find(event.job); states != states_.end()) {
        std::erase(states->second, event.id);
        if (states->second.empty()) {
            states_.erase(states);
        }
    }
    events_.erase(at);
}

std::vector<EventPtr> EventHistory::after(std::uint64_t id) const {
    std::vector<EventPtr> events;
    for (auto at = events_.upper_bound(id); at != events_.end(); ++at) {
        events.push_back(at->second);
    }
    return events;
}

}  // namespace tessera
