#pragma once

#include <chrono>
#include <string>

namespace tessera {

using Duration = std::chrono::microseconds;
/// A moment of this process: monotonic, from an arbitrary start. Never stored, never sent.
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;
/// A moment in the world, which may jump: for records and people, not for measuring.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// Where time comes from, so that a simulation can make its own. Thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() const = 0;
    [[nodiscard]] virtual WallTime wall() const = 0;

    /// The machine's.
    [[nodiscard]] static const Clock& system();
};

/// "2026-11-23T17:20:03.123Z".
[[nodiscard]] std::string iso_time(WallTime time);

[[nodiscard]] inline double seconds_of(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}
[[nodiscard]] inline Duration duration_of(double seconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace tessera
