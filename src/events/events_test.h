#pragma once

#include "events/event_bus.h"

#include <string>
#include <utility>
#include <vector>

namespace tessera {

inline FarmEvent farm_event(
    FarmEvent::Kind kind, std::string tenant, std::string job, int unit = 0
) {
    FarmEvent event;
    event.kind = kind;
    event.tenant = std::move(tenant);
    event.job = JobId{std::move(job)};
    event.unit = unit;
    return event;
}

/// "job:unit kind", so that a failing test tells what was heard.
inline std::string words_of(const FarmEvent& event) {
    return event.job.value + ":" + std::to_string(event.unit) + " " +
           std::string(to_string(event.kind));
}

/// A listener that remembers.
struct Heard {
    std::vector<EventPtr> events;

    [[nodiscard]] EventBus::Listener listener() {
        return [this](const EventPtr& event) { events.push_back(event); };
    }
    [[nodiscard]] std::vector<std::string> words() const {
        std::vector<std::string> words;
        for (const EventPtr& event : events) {
            words.push_back(words_of(*event));
        }
        return words;
    }
};

}  // namespace tessera
