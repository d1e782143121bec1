#pragma once

#include "base/clock.h"

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace tessera::simulation {

/// Time that passes only when nothing is left to do now. One thread.
class VirtualTime final : public Clock {
  public:
    [[nodiscard]] Instant now() const override { return now_; }
    [[nodiscard]] WallTime wall() const override {
        return WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(
            now_.time_since_epoch() + wall_offset_
        ));
    }

    /// Makes the world's clock jump, as an administrator or NTP may.
    void jump_wall(Duration by) { wall_offset_ += by; }

    void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }
    void at(Instant when, std::function<void()> what) {
        events_.push({std::max(when, now_), next_++, std::move(what)});
    }
    /// Runs what is next and gives false, or true when there is nothing any more before `end`.
    bool run_next(Instant end) {
        if (events_.empty() || events_.top().when > end) {
            now_ = end;
            return true;
        }
        Event event = events_.top();
        events_.pop();
        now_ = event.when;
        event.what();
        return false;
    }
    void run_until(Instant end) {
        while (!run_next(end)) {
        }
    }

  private:
    struct Event {
        Instant when;
        std::uint64_t number;  ///< of equal times, the earlier made comes first
        std::function<void()> what;

        bool operator<(const Event& other) const {
            return when != other.when ? when > other.when : number > other.number;
        }
    };

    Instant now_{std::chrono::hours(1)};
    Duration wall_offset_{std::chrono::hours(24 * 365 * 50)};
    std::uint64_t next_ = 0;
    std::priority_queue<Event> events_;
};

}  // namespace tessera::simulation
