#pragma once

#include "events/event_bus.h"

#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tessera {

/// The last numbered events of one tenant, for those who come back. One thread.
class EventHistory {
  public:
    EventHistory(std::size_t max_events, std::size_t max_bytes)
        : max_events_(max_events), max_bytes_(max_bytes) {}

    /// Ids must grow. What it supersedes is taken out, which leaves no gap behind.
    void add(const EventPtr& event);
    /// Those with a larger id, in order.
    [[nodiscard]] std::vector<EventPtr> after(std::uint64_t id) const;
    /// The largest id that was given up for lack of room; 0: none was.
    [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

  private:
    void erase(std::map<std::uint64_t, EventPtr>::iterator at);
    void take_out_superseded(const FarmEvent& event);

    std::size_t max_events_;
    std::size_t max_bytes_;
    std::size_t bytes_ = 0;
    std::uint64_t forgotten_ = 0;
    std::map<std::uint64_t, EventPtr> events_;
    /// Ids of each live job's events that can still be superseded.
    std::unordered_map<JobId, std::vector<std::uint64_t>> states_;
};

}  // namespace tessera
